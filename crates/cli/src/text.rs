//! Lines and comma-separated fields, each with its place, so that an error can point at it.

use std::borrow::Cow;

use crate::error::{Error, Place, Result};

/// One field of a line and where it begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field<'a> {
    /// What it says, quotes taken off.
    pub text: Cow<'a, str>,
    /// Column of its first character, from 1.
    pub column: u64,
}

/// A line of a file.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The file as it was named.
    pub file: &'a str,
    /// Its number, from 1.
    pub number: u64,
    /// What it says, without its end.
    pub text: &'a str,
}

/// The lines of a text, numbered.
pub fn lines<'a>(file: &'a str, text: &'a str) -> impl Iterator<Item = Line<'a>> {
    text.lines().zip(1..).map(move |(text, number)| Line { file, number, text })
}

impl<'a> Line<'a> {
    /// The error that points at a column of this line.
    pub fn error(&self, column: u64, found: impl Into<String>, allowed: impl Into<String>) -> Error {
        let place = Place { file: self.file.to_owned(), line: self.number, column };
        Error::At { place, found: found.into(), allowed: allowed.into() }
    }

    /// Splits the line at its commas; a field may stand in double quotes, doubled where meant.
    pub fn fields(&self, out: &mut Vec<Field<'a>>) -> Result<()> {
        out.clear();
        let mut rest = self.text;
        let mut column = 1;
        loop {
            let (field, length) = match rest.strip_prefix('"') {
                Some(quoted) => self.quoted(quoted, column)?,
                None => {
                    let end = rest.find(',').unwrap_or(rest.len());
                    (Cow::Borrowed(&rest[..end]), end)
                }
            };
            out.push(Field { text: field, column });
            column += rest[..length].chars().count() as u64 + 1;
            match rest.get(length..).and_then(|tail| tail.strip_prefix(',')) {
                Some(tail) => rest = tail,
                None if length == rest.len() => return Ok(()),
                None => return Err(self.error(column - 1, "text after a closing quote", "a comma or the line's end")),
            }
        }
    }

    /// A field in quotes, whose opening quote is off: what it says and how long it is in all.
    fn quoted(&self, text: &'a str, column: u64) -> Result<(Cow<'a, str>, usize)> {
        let mut from = 0;
        let mut doubled = false;
        loop {
            let Some(at) = text[from..].find('"').map(|at| at + from) else {
                return Err(self.error(column, "a quote that is never closed", "a closing quote on the same line"));
            };
            if text[at + 1..].starts_with('"') {
                doubled = true;
                from = at + 2;
                continue;
            }
            let inner = &text[..at];
            let field = if doubled { Cow::Owned(inner.replace("\"\"", "\"")) } else { Cow::Borrowed(inner) };
            return Ok((field, at + 2));
        }
    }
}

/// A header that has been read: which column stands where.
#[derive(Debug)]
pub struct Header {
    names: Vec<String>,
}

impl Header {
    /// Reads a header line.
    pub fn read(line: &Line<'_>) -> Result<Header> {
        let mut fields = Vec::new();
        line.fields(&mut fields)?;
        let mut names: Vec<String> = Vec::with_capacity(fields.len());
        for field in fields {
            let name = field.text.trim().to_owned();
            if name.is_empty() || names.contains(&name) {
                return Err(line.error(field.column, format!("column {name:?}"), "column names, each once"));
            }
            names.push(name);
        }
        Ok(Header { names })
    }

    /// The names in their order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Where the column of that name stands.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|other| other == name)
    }

    /// Where the columns of these names stand; all are needed.
    pub fn positions<const N: usize>(&self, line: &Line<'_>, names: [&str; N]) -> Result<[usize; N]> {
        let mut out = [0; N];
        for (place, name) in out.iter_mut().zip(names) {
            *place = self.position(name).ok_or_else(|| {
                line.error(1, format!("a header without {name:?}"), format!("the columns {}", names.join(",")))
            })?;
        }
        Ok(out)
    }

    /// The line must have as many fields as the header.
    pub fn check(&self, line: &Line<'_>, fields: &[Field<'_>]) -> Result<()> {
        if fields.len() == self.names.len() {
            return Ok(());
        }
        let column = fields.last().map_or(1, |field| field.column);
        Err(line.error(column, format!("{} fields", fields.len()), format!("{} as in the header", self.names.len())))
    }
}

/// Writes one field, in quotes where it needs them.
#[must_use]
pub fn quote(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Result<Vec<(String, u64)>> {
        let line = Line { file: "t", number: 1, text };
        let mut fields = Vec::new();
        line.fields(&mut fields)?;
        Ok(fields.into_iter().map(|field| (field.text.into_owned(), field.column)).collect())
    }

    #[test]
    fn fields_know_their_columns() {
        assert_eq!(split("a,,b").unwrap(), [("a".into(), 1), (String::new(), 3), ("b".into(), 4)]);
        assert_eq!(split("").unwrap(), [(String::new(), 1)]);
        assert_eq!(split("\"a,\"\"b\",c").unwrap(), [("a,\"b".into(), 1), ("c".into(), 9)]);
        assert_eq!(split("é,b").unwrap(), [("é".into(), 1), ("b".into(), 3)]);
    }

    #[test]
    fn broken_quotes_are_refused() {
        assert!(split("\"a").is_err());
        assert!(split("\"a\"b,c").is_err());
    }

    #[test]
    fn what_is_quoted_reads_back() {
        for text in ["a", "a,b", "a\"b", "\"", ",", ""] {
            assert_eq!(split(&quote(text)).unwrap()[0].0, text);
        }
    }
}
