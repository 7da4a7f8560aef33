//! A source: bytes from a file, unpacked, and recognised by what they say.

use std::fs;
use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};

/// What a file may be. The names are those of `--format`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Format {
    /// The plain order log.
    CentumLog,
    /// Our journal (not replayed by this build).
    CentumJournal,
    /// The venue's public trades.
    BitmexTrades,
    /// The venue's public websocket: book, quotes, trades.
    BitmexWs,
    /// One account's wallet ledger.
    BitmexWallet,
    /// Bitstamp, order by order.
    Bitstamp,
    /// Nasdaq through LOBSTER (not replayed by this build).
    Lobster,
    /// CME, order by order (not replayed by this build).
    CmeMbo,
}

impl Format {
    /// Its name on the command line and in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Format::CentumLog => "centum-log",
            Format::CentumJournal => "centum-journal",
            Format::BitmexTrades => "bitmex-trades",
            Format::BitmexWs => "bitmex-ws",
            Format::BitmexWallet => "bitmex-wallet",
            Format::Bitstamp => "bitstamp",
            Format::Lobster => "lobster",
            Format::CmeMbo => "cme-mbo",
        }
    }

    /// Does this build replay it?
    #[must_use]
    pub const fn is_built(self) -> bool {
        matches!(
            self,
            Format::CentumLog | Format::BitmexTrades | Format::BitmexWs | Format::BitmexWallet | Format::Bitstamp
        )
    }
}

/// A file, unpacked.
#[derive(Debug)]
pub struct Source {
    /// Its name as given.
    pub name: String,
    /// What it says.
    pub text: String,
}

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

impl Source {
    /// Reads a file; `.gz` and `.zst` are told by their first bytes and unpacked.
    pub fn open(path: &Path) -> Result<Source> {
        let name = path.display().to_string();
        let bytes = fs::read(path).map_err(|error| Error::io(path, error))?;
        Source::from_bytes(name, &bytes)
    }

    /// The same from bytes.
    pub fn from_bytes(name: String, bytes: &[u8]) -> Result<Source> {
        let packed = |kind: &str, error: &dyn std::fmt::Display| {
            Error::Unusable(format!("{name}: the {kind} data cannot be unpacked ({error}); fetch the file again"))
        };
        let mut plain = Vec::new();
        if bytes.starts_with(GZIP) {
            flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut plain).map_err(|error| packed("gzip", &error))?;
        } else if bytes.starts_with(ZSTD) {
            let mut left = bytes;
            while !left.is_empty() {
                let mut decoder =
                    ruzstd::decoding::StreamingDecoder::new(&mut left).map_err(|error| packed("zstd", &error))?;
                decoder.read_to_end(&mut plain).map_err(|error| packed("zstd", &error))?;
            }
        } else {
            plain = bytes.to_vec();
        }
        let text = String::from_utf8(plain).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
            Error::Unusable(format!("{name}:{line}: found a byte that is not text; every format here is UTF-8 text"))
        })?;
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        Ok(Source { name, text })
    }

    /// The format: the one asked for, or what the first lines say.
    pub fn format(&self, asked: Option<Format>) -> Result<Format> {
        let format = asked.or_else(|| recognise(&self.text)).ok_or_else(|| {
            Error::Unusable(format!(
                "{}: the format is not recognised from its first lines; name it with --format (centum-log, \
                 bitmex-trades, bitmex-ws, bitmex-wallet, bitstamp)",
                self.name
            ))
        })?;
        if format.is_built() {
            return Ok(format);
        }
        Err(Error::Unusable(format!(
            "{}: {} is not replayed by this build; it replays centum-log, bitmex-trades, bitmex-ws, \
             bitmex-wallet and bitstamp",
            self.name,
            format.name()
        )))
    }
}

/// What the first lines say the text is.
fn recognise(text: &str) -> Option<Format> {
    if text.starts_with("#centum-log") {
        return Some(Format::CentumLog);
    }
    if text.starts_with("centum-journal") || text.starts_with("CENTUMJ") {
        return Some(Format::CentumJournal);
    }
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'))?;
    if first.starts_with('{') {
        return first.contains("\"op\"").then_some(Format::CentumLog);
    }
    if let Some((stamp, json)) = first.split_once('\t') {
        let is_stamp = stamp.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        return (is_stamp && json.starts_with('{')).then_some(Format::BitmexWs);
    }
    let columns: Vec<&str> = first.split(',').map(str::trim).collect();
    let has = |names: &[&str]| names.iter().all(|name| columns.contains(name));
    if has(&["op"]) {
        Some(Format::CentumLog)
    } else if has(&["trdMatchID", "grossValue"]) {
        Some(Format::BitmexTrades)
    } else if has(&["local_ts_ms", "kind", "order_id", "amount_sat"]) {
        Some(Format::Bitstamp)
    } else if has(&["transactType", "walletBalance"]) {
        Some(Format::BitmexWallet)
    } else if has(&["ts_event_ns", "action", "order_id"]) {
        Some(Format::CmeMbo)
    } else if has(&["time_s", "type", "order_id", "price_e4"])
        || columns.len() == 6 && columns.iter().all(|column| column.parse::<rust_decimal::Decimal>().is_ok())
    {
        Some(Format::Lobster)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_recognised_from_content() {
        for (text, format) in [
            ("#centum-log 1 spec=XBTUSD-2019\nts_ns,op\n", Some(Format::CentumLog)),
            ("ts_ns,op,account\n", Some(Format::CentumLog)),
            ("{\"op\":\"open\",\"account\":\"a\"}\n", Some(Format::CentumLog)),
            ("timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue\n", Some(Format::BitmexTrades)),
            ("1626993370.03\t{\"table\":\"quote\"}\n", Some(Format::BitmexWs)),
            ("local_ts_ms,kind,order_id,side,price,amount_sat\n", Some(Format::Bitstamp)),
            ("timestamp,transactType,walletBalance\n", Some(Format::BitmexWallet)),
            ("ts_event_ns,ts_recv_ns,action,side,price_e9,size,order_id\n", Some(Format::CmeMbo)),
            ("34200.01,1,16113575,18,5853300,1\n", Some(Format::Lobster)),
            ("hello\n", None),
            ("", None),
        ] {
            assert_eq!(recognise(text), format, "{text:?}");
        }
    }

    #[test]
    fn gz_and_zst_are_read_as_they_are_and_broken_ones_refused() {
        use std::io::Write;
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gz.write_all(b"ts_ns,op\n").unwrap();
        let gz = gz.finish().unwrap();
        let zst =
            ruzstd::encoding::compress_to_vec(&b"ts_ns,op\n"[..], ruzstd::encoding::CompressionLevel::Uncompressed);
        for packed in [gz, zst] {
            assert_eq!(Source::from_bytes("t".into(), &packed).unwrap().text, "ts_ns,op\n");
            assert!(Source::from_bytes("t".into(), &packed[..packed.len() - 3]).is_err());
        }
        assert!(Source::from_bytes("t".into(), b"a\n\xff").unwrap_err().to_string().contains("t:2"));
    }
}
