//! `docs/records.md` and `docs/records.json` say what the declarations say.
//!
//! They are made from the tables of fields. `CENTUM_BLESS=1 cargo test -p centum-contract --test
//! records` writes them anew; otherwise this compares.

use std::fmt::Write;
use std::path::Path;

use centum_contract::command::{COMMAND_BODIES, COMMAND_HEADER};
use centum_contract::event::{EVENT_BODIES, EVENT_HEADER, EventKind};
use centum_contract::words::{Coded, Field, RECORD_BYTES};
use centum_contract::*;

/// A kind of record: name, number, fields of its body.
type Kind = (&'static str, u8, Vec<Field>);
/// An enumeration: its name, and its variants with their numbers.
type Enumeration = (&'static str, Vec<(&'static str, u8)>);

/// What the types of fields are made of: name, bytes, what they hold.
const TYPES: &[(&str, usize, &str)] = &[
    ("u8", 1, "unsigned integer"),
    ("u16", 2, "unsigned integer"),
    ("u32", 4, "unsigned integer"),
    ("u64", 8, "unsigned integer"),
    ("i32", 4, "signed integer, two's complement"),
    ("i64", 8, "signed integer, two's complement"),
    ("Tick", 4, "u32: price in ticks; 0 is none"),
    ("Price", 8, "u64: price in 0.01 USD; 0 is none"),
    ("Qty", 8, "u64: contracts"),
    ("Xbt", 8, "i64: satoshi, 1e-8 XBT"),
    ("Rate", 8, "i64: rate in 1e-8"),
    ("Leverage", 4, "u32: hundredths; 0 is cross margin"),
    ("ClOrdId", 36, "printable ASCII padded with zeros; all zero is none"),
    ("OrderId | ClOrdId", 36, "u64 number and u32 slot, or a ClOrdId: the field `target_is_cl_ord_id` tells which"),
    ("ExecInst", 2, "u16: bits, see `ExecInst`"),
    ("[u64; 11]", 88, "eleven u64"),
    ("[u8; 80]", 80, "text, UTF-8, padded with zeros"),
    ("[u32; 10]", 40, "ten u32"),
];

/// Bits of fields that are sets of flags.
const BITS: &[(&str, &[(&str, u64)])] = &[
    (
        "command.flags",
        &[("more: the bulk goes on", command::FLAG_MORE as u64), ("part of a bulk", command::FLAG_BULK as u64)],
    ),
    ("New.flags", &[("display is given", command::NEW_HAS_DISPLAY as u64)]),
    ("Amend.flags", &[("loses its place", command::AMEND_LOSES_PLACE as u64)]),
    ("event.last", &[("last of its command", 1)]),
    ("Amended.flags", &[("lost its place", event::AMENDED_LOST_PLACE as u64)]),
    ("Position.flags", &[("suspended", event::POSITION_SUSPENDED as u64)]),
    (
        "ExecInst",
        &[
            ("POST_ONLY", ExecInst::POST_ONLY.0 as u64),
            ("REDUCE_ONLY", ExecInst::REDUCE_ONLY.0 as u64),
            ("CLOSE", ExecInst::CLOSE.0 as u64),
            ("ALL_OR_NONE", ExecInst::ALL_OR_NONE.0 as u64),
            ("FIXED", ExecInst::FIXED.0 as u64),
            ("LAST_WITHIN_MARK", ExecInst::LAST_WITHIN_MARK.0 as u64),
        ],
    ),
];

macro_rules! enumerations {
    ($($name:ident),* $(,)?) => {
        vec![ $( (stringify!($name), $name::ALL.iter().map(|v| (v.name(), v.code())).collect()) ),* ]
    };
}

fn enumerations() -> Vec<Enumeration> {
    enumerations![
        Side,
        OrdType,
        TimeInForce,
        Trigger,
        SelfTrade,
        Contingency,
        PegPriceType,
        AmendQty,
        Marking,
        FeeRounding,
        PremiumMode,
        MarginModel,
        MarketState,
        CancelReason,
        FillCause,
        TransferKind,
        LiquidationStep,
        InsuranceCause,
        Reject,
    ]
}

fn commands() -> Vec<Kind> {
    let fields = |tables: &[&[Field]]| tables.iter().flat_map(|table| table.iter().copied()).collect();
    let mut kinds: Vec<Kind> =
        COMMAND_BODIES.iter().map(|(kind, tables)| (kind.name(), kind.code(), fields(tables))).collect();
    kinds.sort_by_key(|kind| kind.1);
    kinds
}

fn events() -> Vec<Kind> {
    let mut kinds: Vec<Kind> =
        EVENT_BODIES.iter().map(|(kind, fields)| (kind.name(), kind.code(), fields.to_vec())).collect();
    kinds.sort_by_key(|kind| kind.1);
    kinds
}

/// `Code < Side >` as the compiler may space it.
fn type_name(field: &Field) -> String {
    field.kind.replace(" <", "<").replace("< ", "<").replace(" >", ">")
}

fn json() -> String {
    let field = |f: &Field| {
        format!(r#"{{"name":"{}","type":"{}","offset":{},"size":{}}}"#, f.name, type_name(f), f.offset, f.size)
    };
    let list = |items: Vec<String>, indent: &str| {
        if items.is_empty() {
            "[]".to_owned()
        } else {
            format!("[\n{indent}  {}\n{indent}]", items.join(&format!(",\n{indent}  ")))
        }
    };
    let records = |header: &[Field], kinds: &[Kind]| {
        let kinds = kinds.iter().map(|(name, code, fields)| {
            let fields = list(fields.iter().map(field).collect(), "      ");
            format!(r#"{{"name":"{name}","code":{code},"fields":{fields}}}"#)
        });
        format!(
            "{{\n    \"header\":{},\n    \"kinds\":{}\n  }}",
            list(header.iter().map(field).collect(), "    "),
            list(kinds.collect(), "    ")
        )
    };
    let types =
        TYPES.iter().map(|(name, size, holds)| format!(r#"{{"name":"{name}","size":{size},"holds":"{holds}"}}"#));
    let pairs = |pairs: Vec<(String, u64)>| {
        let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
        format!("{{{}}}", pairs.join(","))
    };
    let named = |items: Vec<(&str, String)>| {
        let items: Vec<String> = items.into_iter().map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
        format!("{{\n    {}\n  }}", items.join(",\n    "))
    };
    let enums = enumerations().into_iter().map(|(name, variants)| {
        (name, pairs(variants.into_iter().map(|(name, code)| (name.to_owned(), code.into())).collect()))
    });
    let bits =
        BITS.iter().map(|(name, bits)| (*name, pairs(bits.iter().map(|(n, bit)| ((*n).to_owned(), *bit)).collect())));
    format!(
        "{{\n  \"schema\":\"centum.records/1\",\n  \"record_bytes\":{RECORD_BYTES},\n  \"byte_order\":\"little-endian\",\n  \
         \"types\":{},\n  \"command\":{},\n  \"event\":{},\n  \"enums\":{},\n  \"bits\":{}\n}}\n",
        list(types.collect(), "  "),
        records(COMMAND_HEADER, &commands()),
        records(EVENT_HEADER, &events()),
        named(enums.collect()),
        named(bits.collect()),
    )
}

fn markdown() -> String {
    let mut out = String::from(
        "# Records\n\nMade from the declarations by `crates/contract/tests/records.rs`; do not edit. [records.json](records.json) has the same for programs.\n\n\
         Commands and events are records of 128 bytes, little-endian. A byte that no field of the kind covers is zero. Numbers of kinds and of variants are\n\
         never reused or renumbered. What the events mean is in [commands.md](commands.md).\n\n## Types\n\n| type | bytes | holds |\n|---|---|---|\n",
    );
    for (name, size, holds) in TYPES {
        writeln!(out, "| {} | {size} | {holds} |", name.replace('|', "\\|")).unwrap();
    }
    out.push_str("| Code<…> | 1 | u8: a number of that enumeration; 0 where none is given |\n");
    for (title, header, kinds) in [("Command", COMMAND_HEADER, commands()), ("Event", EVENT_HEADER, events())] {
        writeln!(out, "\n## {title}s\n\nHeader:\n").unwrap();
        table(&mut out, header);
        for (name, code, fields) in kinds {
            writeln!(out, "\n### {title} {code}: {name}\n").unwrap();
            if fields.is_empty() {
                out.push_str("Nothing but the header.\n");
            } else {
                table(&mut out, &fields);
            }
        }
    }
    out.push_str("\n## Enumerations\n\n| enumeration | numbers |\n|---|---|\n");
    for (name, variants) in enumerations() {
        let variants: Vec<String> = variants.iter().map(|(name, code)| format!("{code} {name}")).collect();
        writeln!(out, "| {name} | {} |", variants.join(" · ")).unwrap();
    }
    out.push_str("\n## Bits\n\n| field | bits |\n|---|---|\n");
    for (name, bits) in BITS {
        let bits: Vec<String> = bits.iter().map(|(name, bit)| format!("{bit} {name}")).collect();
        writeln!(out, "| {name} | {} |", bits.join(" · ")).unwrap();
    }
    out
}

fn table(out: &mut String, fields: &[Field]) {
    out.push_str("| offset | bytes | field | type |\n|---|---|---|---|\n");
    let mut fields = fields.to_vec();
    fields.sort_by_key(|field| field.offset);
    for field in fields {
        let kind = type_name(&field).replace('|', "\\|");
        writeln!(out, "| {} | {} | {} | {kind} |", field.offset, field.size, field.name).unwrap();
    }
}

#[test]
fn the_published_tables_are_the_declared_ones() {
    for (name, made) in [("records.md", markdown()), ("records.json", json())] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
        if std::env::var_os("CENTUM_BLESS").is_some() {
            std::fs::write(&file, &made).expect("docs can be written");
        }
        let published = std::fs::read_to_string(&file).expect("it was published");
        assert!(published == made, "docs/{name} is not what the declarations say: CENTUM_BLESS=1 writes it anew");
    }
}

/// Every type that a field has is explained, with its size; every enumeration is listed.
#[test]
fn every_type_is_explained() {
    let enumerations = enumerations();
    let all = commands().into_iter().chain(events()).flat_map(|kind| kind.2);
    for field in all.chain(COMMAND_HEADER.iter().copied()).chain(EVENT_HEADER.iter().copied()) {
        let name = type_name(&field);
        match name.strip_prefix("Code<").and_then(|rest| rest.strip_suffix('>')) {
            Some(of) => assert!(enumerations.iter().any(|(name, _)| *name == of), "{of} is listed"),
            None => {
                let size = TYPES.iter().find(|(known, ..)| *known == name).map(|(_, size, _)| *size);
                assert_eq!(size, Some(field.size), "{}: {name} is explained", field.name);
            }
        }
    }
}

/// Numbers are used once, and every kind has a table.
#[test]
fn every_kind_has_its_number_and_table() {
    assert_eq!(commands().iter().map(|kind| kind.1).collect::<Vec<_>>(), (1..=24).collect::<Vec<u8>>());
    assert_eq!(commands().len(), CommandKind::ALL.len());
    assert_eq!(events().iter().map(|kind| kind.1).collect::<Vec<_>>(), (1..=19).collect::<Vec<u8>>());
    assert_eq!(events().len(), EventKind::ALL.len());
    for (name, variants) in enumerations() {
        assert!(variants.windows(2).all(|pair| pair[0].1 < pair[1].1), "{name}: numbers rise");
    }
}
