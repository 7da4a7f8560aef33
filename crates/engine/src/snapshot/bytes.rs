//! Words out and words in, with their checksum.
//!
//! A word is eight bytes, little-endian. The checksum takes each in by steps that are one-to-one, so one word
//! that differs is always found; that of a section begins with the one before it.

use super::{RestoreError, RestoreFlaw, Section, SnapshotSink, SnapshotSource};

/// Bytes handed to a sink at a time.
const BUFFER_BYTES: usize = 4096;

const fn step(sum: u64, word: u64) -> u64 {
    sum.wrapping_add(word).rotate_left(29).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Where words go.
pub(super) struct Output<'a, S> {
    sink: &'a mut S,
    buffer: [u8; BUFFER_BYTES],
    filled: usize,
    sum: u64,
}

impl<'a, S: SnapshotSink> Output<'a, S> {
    pub(super) fn new(sink: &'a mut S) -> Self {
        Output { sink, buffer: [0; BUFFER_BYTES], filled: 0, sum: 0 }
    }

    pub(super) fn words(&mut self, words: &[u64]) {
        let mut sum = self.sum;
        for word in words {
            sum = step(sum, *word);
            self.put(*word);
        }
        self.sum = sum;
    }

    /// The checksum of everything so far.
    pub(super) fn put_sum(&mut self) {
        self.put(self.sum);
    }

    #[inline]
    fn put(&mut self, word: u64) {
        self.buffer[self.filled..self.filled + 8].copy_from_slice(&word.to_le_bytes());
        self.filled += 8;
        if self.filled == BUFFER_BYTES {
            self.flush();
        }
    }

    pub(super) fn flush(&mut self) {
        self.sink.write(&self.buffer[..self.filled]);
        self.filled = 0;
    }
}

/// Where words come from.
pub(super) struct Input<'a, S> {
    source: &'a mut S,
    section: &'static str,
    at: u64,
    /// Where the last record began.
    record_at: u64,
    sum: u64,
}

impl<'a, S: SnapshotSource> Input<'a, S> {
    /// At the beginning.
    pub(super) fn new(source: &'a mut S) -> Self {
        Input { source, section: "header", at: 0, record_at: 0, sum: 0 }
    }

    /// Behind the header.
    pub(super) fn behind_header(source: &'a mut S, at: u64, sum: u64) -> Self {
        Input { source, section: "header", at, record_at: at, sum }
    }

    /// The checksum of everything so far.
    pub(super) fn sum(&self) -> u64 {
        self.sum
    }

    /// How many bytes were read.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The next record.
    pub(super) fn words<const N: usize>(&mut self) -> Result<[u64; N], RestoreError> {
        self.record_at = self.at;
        let mut words = [0; N];
        for word in &mut words {
            *word = self.word()?;
            self.sum = step(self.sum, *word);
        }
        Ok(words)
    }

    fn word(&mut self) -> Result<u64, RestoreError> {
        let mut bytes = [0; 8];
        if self.source.read(&mut bytes) != 8 {
            return Err(RestoreError { section: self.section, at: self.at, flaw: RestoreFlaw::Ends });
        }
        self.at += 8;
        Ok(u64::from_le_bytes(bytes))
    }

    /// The head of a section: how many records it has, at most so many.
    pub(super) fn begin(&mut self, section: Section, most: u64) -> Result<u64, RestoreError> {
        self.section = section.name();
        let [head, count] = self.words()?;
        self.must(head == section.head(), "section", head, "be the next one in order")?;
        self.must(count <= most, "count", count, "fit the capacity")?;
        Ok(count)
    }

    /// The end of a section.
    pub(super) fn end(&mut self) -> Result<(), RestoreError> {
        self.record_at = self.at;
        let expected = self.sum;
        if self.word()? == expected { Ok(()) } else { Err(self.error(RestoreFlaw::Checksum)) }
    }

    /// The end of it all.
    pub(super) fn must_be_over(&mut self) -> Result<(), RestoreError> {
        (self.section, self.record_at) = ("end", self.at);
        let more = self.source.read(&mut [0]);
        self.must(more == 0, "bytes behind the end", more as u64, "be 0")
    }

    /// What is wrong with the last record.
    pub(super) fn error(&self, flaw: RestoreFlaw) -> RestoreError {
        RestoreError { section: self.section, at: self.record_at, flaw }
    }

    /// A number of the last record is what it must be.
    pub(super) fn must(
        &self,
        holds: bool,
        what: &'static str,
        found: u64,
        must: &'static str,
    ) -> Result<(), RestoreError> {
        if holds { Ok(()) } else { Err(self.error(RestoreFlaw::Number { what, found, must })) }
    }
}
