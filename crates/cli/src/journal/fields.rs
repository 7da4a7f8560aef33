//! A command's fields by name, as the published tables have them.

use contract::command::COMMAND_BODIES;
use contract::words::{Field, RECORD_BYTES};
use contract::{
    AmendQty, Coded, Command, Contingency, MarketState, OrdType, PegPriceType, SelfTrade, Side, TimeInForce, Trigger,
};
use serde_json::{Map, Value, json};

/// Says whether a target is a client's name. (`docs/records.md`)
const TARGET_KIND_AT: usize = 116;

/// The name of a command's kind; its number where it has none.
#[must_use]
pub fn kind(command: &Command) -> String {
    command.kind().map_or_else(|| format!("kind {}", command.kind_code()), |kind| kind.name().to_owned())
}

/// The fields that are not zero, with what they say.
#[must_use]
pub fn fields(command: &Command) -> Vec<(&'static str, Value)> {
    let bytes = command.to_bytes();
    let tables = COMMAND_BODIES.iter().find(|(kind, _)| Some(*kind) == command.kind()).map_or(&[][..], |found| found.1);
    let mut all: Vec<&Field> = tables.iter().flat_map(|table| table.iter()).collect();
    all.sort_by_key(|field| field.offset);
    let is_set = |field: &&Field| bytes[field.offset..field.offset + field.size].iter().any(|byte| *byte != 0);
    all.into_iter().filter(is_set).map(|field| (field.name, value(field, &bytes))).collect()
}

/// The same in one line: `price=20000 qty=100 side=Buy`.
#[must_use]
pub fn line(command: &Command) -> String {
    let text = |(name, value): (&str, Value)| match value {
        Value::String(text) => format!("{name}={text}"),
        other => format!("{name}={other}"),
    };
    fields(command).into_iter().map(text).collect::<Vec<_>>().join(" ")
}

/// A command as an object.
#[must_use]
pub fn object(command: &Command) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("seq".into(), command.seq().into());
    out.insert("ts_ns".into(), command.ts().into());
    out.insert("account".into(), command.account().0.into());
    out.insert("session".into(), command.session().into());
    out.insert("request".into(), command.request().into());
    out.insert("instrument".into(), command.instrument().into());
    out.insert("flags".into(), command.flags().into());
    out.insert("kind".into(), kind(command).into());
    out.insert("fields".into(), fields(command).into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
    out
}

fn value(field: &Field, record: &[u8; RECORD_BYTES]) -> Value {
    let bytes = &record[field.offset..field.offset + field.size];
    let unsigned = || bytes.iter().rev().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    match field.kind {
        "ClOrdId" | "[u8; 80]" => text(bytes).into(),
        "OrderId | ClOrdId" if record[TARGET_KIND_AT] != 0 => text(bytes).into(),
        "OrderId | ClOrdId" => target(bytes),
        "i32" => i64::from(unsigned() as u32 as i32).into(),
        "i64" | "Xbt" | "Rate" => (unsigned() as i64).into(),
        kind if kind.starts_with("Code<") => coded(kind, unsigned() as u8),
        _ if field.size <= 8 => unsigned().into(),
        _ => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
    }
}

/// Text padded with zeros; what is no text is told as such.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    bytes[..end].escape_ascii().to_string()
}

fn target(bytes: &[u8]) -> Value {
    let number = bytes[..8].iter().rev().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    let slot = bytes[8..12].iter().rev().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    json!({"number": number, "slot": slot})
}

/// A code's name; its number where it has none.
fn coded(kind: &str, raw: u8) -> Value {
    macro_rules! names {
        ($($name:ident),*) => {
            match kind {
                $( concat!("Code<", stringify!($name), ">") => $name::from_code(raw).map($name::name), )*
                _ => None,
            }
        };
    }
    let name = names!(Side, OrdType, TimeInForce, SelfTrade, Trigger, Contingency, PegPriceType, AmendQty, MarketState);
    name.map_or_else(|| raw.into(), Value::from)
}
