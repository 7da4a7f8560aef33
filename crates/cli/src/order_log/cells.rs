//! Rows of the log as cells, whether they stand as CSV or as JSON lines.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{BENCH_START, COLUMNS};
use crate::error::{Error, Result};
use crate::source::Source;
use crate::text::{Field, Header, Line};

/// A key of a row; the numbers are those of [`COLUMNS`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    TsNs,
    Op,
    Account,
    Id,
    NewId,
    Side,
    Qty,
    Price,
    Type,
    Tif,
    Inst,
    Stop,
    Display,
    Value,
}

/// What a line of the log is.
#[allow(clippy::large_enum_variant)] // nearly every item is a row
pub enum Item<'a> {
    /// A row.
    Row(Row<'a>),
    /// The comment that ends the preparation of a benchmark.
    BenchStart,
}

/// A row, cell by cell.
pub struct Row<'a> {
    /// Its line.
    pub line: Line<'a>,
    cells: [Option<Field<'a>>; COLUMNS.len()],
}

impl<'a> Row<'a> {
    /// What stands under a key; an empty cell is as one that is not there.
    pub fn get(&self, key: Key) -> Option<&str> {
        self.cells[key as usize].as_ref().map(|field| &*field.text)
    }

    /// What stands under a key that the row needs.
    pub fn need(&self, key: Key, allowed: &str) -> Result<&str> {
        self.get(key).ok_or_else(|| {
            let op = self.get(Key::Op).unwrap_or("");
            self.line.error(1, format!("a {op} row without {}", COLUMNS[key as usize]), allowed)
        })
    }

    /// The error that points at a key's cell.
    pub fn error(&self, key: Key, allowed: impl Into<String>) -> Error {
        let (column, found) = match &self.cells[key as usize] {
            Some(field) => (field.column, format!("{} {:?}", COLUMNS[key as usize], field.text)),
            None => (1, format!("no {}", COLUMNS[key as usize])),
        };
        self.line.error(column, found, allowed)
    }

    /// A cell read by `read`, whose error is what is allowed.
    pub fn parse<T>(&self, key: Key, read: impl FnOnce(&str) -> Result<T, String>) -> Result<Option<T>> {
        self.get(key).map(|text| read(text).map_err(|allowed| self.error(key, allowed))).transpose()
    }
}

/// Reads the items of a log one after the other.
pub struct Reader<'a> {
    lines: Box<dyn Iterator<Item = Line<'a>> + 'a>,
    /// For CSV: the header, and which key each column is.
    header: Option<(Header, Vec<usize>)>,
    fields: Vec<Field<'a>>,
    is_json: bool,
}

impl<'a> Reader<'a> {
    /// A reader from the log's first row on.
    pub fn new(source: &'a Source) -> Result<Reader<'a>> {
        let lines = crate::text::lines(&source.name, &source.text).filter(|line| !line.text.trim().is_empty());
        let first = source.text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'));
        let is_json = first.is_some_and(|line| line.trim_start().starts_with('{'));
        if first.is_none() {
            return Err(Error::Unusable(format!(
                "{}: found no rows; allowed: a header with the columns {} and rows, or JSON lines",
                source.name,
                COLUMNS.join(",")
            )));
        }
        Ok(Reader { lines: Box::new(lines), header: None, fields: Vec::new(), is_json })
    }

    /// The next item.
    pub fn next_item(&mut self) -> Result<Option<Item<'a>>> {
        loop {
            let Some(line) = self.lines.next() else { return Ok(None) };
            if line.text.starts_with('#') {
                if line.text.trim_end() == BENCH_START {
                    return Ok(Some(Item::BenchStart));
                }
                continue;
            }
            if self.is_json {
                return json_row(line).map(|row| Some(Item::Row(row)));
            }
            if let Some((header, keys)) = &self.header {
                line.fields(&mut self.fields)?;
                header.check(&line, &self.fields)?;
                let mut cells = [const { None }; COLUMNS.len()];
                for (key, field) in keys.iter().zip(self.fields.drain(..)) {
                    cells[*key] = trimmed(field);
                }
                return Ok(Some(Item::Row(Row { line, cells })));
            }
            self.header = Some(read_header(&line)?);
        }
    }
}

fn read_header(line: &Line<'_>) -> Result<(Header, Vec<usize>)> {
    let header = Header::read(line)?;
    let key_of = |name: &String| {
        COLUMNS
            .iter()
            .position(|column| column == name)
            .ok_or_else(|| line.error(1, format!("column {name:?}"), format!("the columns {}", COLUMNS.join(","))))
    };
    let keys = header.names().iter().map(key_of).collect::<Result<Vec<usize>>>()?;
    header.positions(line, ["op"])?;
    Ok((header, keys))
}

/// A cell without the blanks around it; nothing where nothing is left.
fn trimmed(field: Field<'_>) -> Option<Field<'_>> {
    let Field { text, column } = field;
    let blanks = text.chars().take_while(|c| c.is_whitespace()).count() as u64;
    let text = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    };
    if text.is_empty() { None } else { Some(Field { text, column: column + blanks }) }
}

/// A row that stands as a JSON object: its values are texts or numbers, numbers taken as written.
fn json_row<'a>(line: Line<'a>) -> Result<Row<'a>> {
    let allowed = "a JSON object with the log's keys";
    let object: BTreeMap<Cow<'a, str>, &'a RawValue> = serde_json::from_str(line.text)
        .map_err(|error| line.error(error.column() as u64, format!("broken JSON ({error})"), allowed))?;
    let mut cells = [const { None }; COLUMNS.len()];
    for (name, value) in object {
        let raw = value.get();
        // Both are parts of the same text, so their distance is the column.
        let column = (raw.as_ptr() as usize).wrapping_sub(line.text.as_ptr() as usize) as u64 + 1;
        let Some(key) = COLUMNS.iter().position(|key| *key == name) else {
            return Err(line.error(column, format!("key {name:?}"), format!("the keys {}", COLUMNS.join(", "))));
        };
        let text = match raw.as_bytes().first() {
            Some(b'"') => serde_json::from_str::<Cow<'a, str>>(raw)
                .map_err(|error| line.error(column, format!("broken text ({error})"), "text in quotes"))?,
            Some(b'-' | b'0'..=b'9') => Cow::Borrowed(raw),
            _ if raw == "null" => continue,
            _ => return Err(line.error(column, raw, "text in quotes, or a number")),
        };
        cells[key] = trimmed(Field { text, column });
    }
    Ok(Row { line, cells })
}
