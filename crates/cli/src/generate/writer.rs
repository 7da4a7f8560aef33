//! Rows of an order log on their way into a file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The columns that generated logs have.
pub const COLUMNS: &str = "ts_ns,op,account,id,new_id,side,qty,price,type,tif,inst,value";

/// A row; what is empty is not given.
#[derive(Clone, Copy, Default, Debug)]
pub struct LogRow<'a> {
    /// Time.
    pub ts_ns: u64,
    /// Operation.
    pub op: &'a str,
    /// Number of the account, from 1; 0 for none.
    pub account: u64,
    /// Number of the order; 0 for none.
    pub id: u64,
    /// Its new number; 0 for none.
    pub new_id: u64,
    /// Side.
    pub side: &'a str,
    /// Quantity; 0 for none.
    pub qty: u64,
    /// Price in half dollars; 0 for none.
    pub half_dollars: u64,
    /// Type.
    pub kind: &'a str,
    /// Time in force.
    pub tif: &'a str,
    /// Instructions.
    pub inst: &'a str,
    /// Value.
    pub value: &'a str,
}

/// Writes a log.
pub struct LogWriter<'a> {
    path: PathBuf,
    out: Box<dyn Write + 'a>,
}

impl<'a> LogWriter<'a> {
    /// A new file; `-` is the standard output.
    pub fn create(path: &Path) -> Result<LogWriter<'a>> {
        let out: Box<dyn Write> = if path.as_os_str() == "-" {
            Box::new(BufWriter::new(std::io::stdout()))
        } else {
            let file = File::create(path).map_err(|error| Error::io(path, error))?;
            if path.extension().is_some_and(|ending| ending == "gz") {
                Box::new(flate2::write::GzEncoder::new(BufWriter::new(file), flate2::Compression::fast()))
            } else {
                Box::new(BufWriter::with_capacity(1 << 20, file))
            }
        };
        Ok(LogWriter { path: path.to_owned(), out })
    }

    /// A log in memory.
    pub fn memory(bytes: &'a mut Vec<u8>) -> LogWriter<'a> {
        LogWriter { path: PathBuf::from("memory"), out: Box::new(bytes) }
    }

    /// A line as it is.
    pub fn line(&mut self, line: &str) -> Result<()> {
        writeln!(self.out, "{line}").map_err(|error| Error::io(self.path.as_path(), error))
    }

    /// A row.
    pub fn row(&mut self, row: &LogRow<'_>) -> Result<()> {
        let number = |prefix: &str, number: u64| if number == 0 { String::new() } else { format!("{prefix}{number}") };
        let price = match (row.half_dollars, row.half_dollars % 2) {
            (0, _) => String::new(),
            (half, 0) => (half / 2).to_string(),
            (half, _) => format!("{}.5", half / 2),
        };
        let LogRow { ts_ns, op, side, kind, tif, inst, value, .. } = row;
        let (account, id, new_id) = (number("a", row.account), number("", row.id), number("", row.new_id));
        let qty = number("", row.qty);
        writeln!(self.out, "{ts_ns},{op},{account},{id},{new_id},{side},{qty},{price},{kind},{tif},{inst},{value}")
            .map_err(|error| Error::io(self.path.as_path(), error))
    }

    /// All is on its way.
    pub fn finish(mut self) -> Result<()> {
        self.out.flush().map_err(|error| Error::io(self.path.as_path(), error))
    }
}
