//! Any bytes are a recording: the readers answer with an error that says where, or with a replay; they do
//! not panic and no law breaks.
//!
//! The first byte chooses the format, or leaves it to be recognised; the rest is the file, which may be
//! packed.
#![no_main]
#![forbid(unsafe_code)]

use cli::error::Error;
use cli::import::Options;
use cli::replay;
use cli::source::{Format, Source};
use libfuzzer_sys::fuzz_target;

/// What this build replays; none: by content.
const FORMATS: [Option<Format>; 6] = [
    None,
    Some(Format::CentumLog),
    Some(Format::BitmexTrades),
    Some(Format::BitmexWs),
    Some(Format::Bitstamp),
    Some(Format::BitmexWallet),
];

/// Unpacked text beyond this is left alone: a packed file may be a thousand times as large.
const LARGEST: usize = 1 << 16;

fuzz_target!(|data: &[u8]| {
    let Some((&first, rest)) = data.split_first() else { return };
    let Ok(source) = Source::from_bytes("fuzz".to_string(), rest) else { return };
    // A log may name a contract file; nothing but the bytes is to be read here.
    if source.text.len() > LARGEST || source.text.contains(".toml") {
        return;
    }
    let Ok(format) = source.format(FORMATS[usize::from(first) % FORMATS.len()]) else { return };
    if let Err(Error::Law(law)) = replay::replay(format, &source, Options::default()) {
        panic!("{law}");
    }
});
