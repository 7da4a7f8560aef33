//! Is what was computed what the example expects?

use std::collections::{BTreeMap, BTreeSet};

use contract::display::Shown;
use contract::wide::Ratio;
use contract::{Price, Rate, Xbt};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::Failure;
use super::example::{Example, number};

/// Digits of a binary double that are surely its own. (Rule VIEW-1)
const DOUBLE_DIGITS: u32 = 15;
/// Whole numbers up to here are exact in a double.
const DOUBLE_EXACT: u64 = 1 << 53;

/// What a formula gave.
#[derive(Clone, Debug)]
pub enum Got {
    /// An exact number.
    Number(Shown),
    /// A quotient, which has as many digits as the example prints; negative where the flag says so.
    Quotient(bool, Ratio),
    /// A document's number: it is printed from the exact amount or from the formula without the
    /// rounding of a unit.
    Document(Shown, bool, Ratio),
    /// A quotient that the venue shows as a binary double: these two whole numbers, divided.
    Double(Shown, u64, u64),
    /// A word.
    Word(String),
}

impl From<Xbt> for Got {
    fn from(xbt: Xbt) -> Got {
        Got::Number(Shown { mantissa: xbt.0.into(), decimals: 0 })
    }
}

impl From<i64> for Got {
    fn from(integer: i64) -> Got {
        Xbt(integer).into()
    }
}

impl From<Price> for Got {
    fn from(price: Price) -> Got {
        Got::Number(Shown { mantissa: price.0.into(), decimals: 2 }.trimmed())
    }
}

impl From<Rate> for Got {
    fn from(rate: Rate) -> Got {
        Got::Number(Shown { mantissa: rate.0.into(), decimals: 8 }.trimmed())
    }
}

impl From<Shown> for Got {
    fn from(shown: Shown) -> Got {
        Got::Number(shown)
    }
}

/// What an amount is in XBT.
pub fn in_xbt(xbt: Xbt) -> Shown {
    Shown { mantissa: xbt.0.into(), decimals: 8 }
}

/// Everything the formulas of a kind have to say about one example.
#[derive(Debug, Default)]
pub struct Findings {
    computed: BTreeMap<String, (&'static str, Got)>,
    states: BTreeMap<String, Vec<&'static str>>,
    excepted: BTreeMap<String, (&'static str, Got)>,
    differences: Vec<Failure>,
    notes: Vec<String>,
}

impl Findings {
    /// Rule `rule` gives `got` for `field`.
    pub fn put(&mut self, field: impl Into<String>, rule: &'static str, got: impl Into<Got>) {
        self.computed.insert(field.into(), (rule, got.into()));
    }

    /// The same, where there is something.
    pub fn put_some(&mut self, field: &str, rule: &'static str, got: Option<impl Into<Got>>) {
        if let Some(got) = got {
            self.put(field, rule, got);
        }
    }

    /// `field` is a state that was taken from the record; it is checked by any of these fields, which
    /// were computed from it.
    pub fn state(&mut self, field: &str, checked_by: &[&'static str]) {
        self.states.insert(field.into(), checked_by.to_vec());
    }

    /// Where `except` names `field`, the record must be this and not what the rule gives.
    pub fn instead(&mut self, field: &str, rule: &'static str, got: impl Into<Got>) {
        self.excepted.insert(field.into(), (rule, got.into()));
    }

    /// Two inputs contradict each other by this rule.
    pub fn contradiction(&mut self, example: &Example, field: &str, rule: &str, expected: Xbt, got: Xbt) {
        self.differences.push(Failure {
            id: example.id.clone(),
            rule: rule.into(),
            field: field.into(),
            expected: expected.0.to_string(),
            got: got.0.to_string(),
        });
    }

    /// A word for the reader.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

/// What came of one example.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Differences.
    pub failures: Vec<Failure>,
    /// Expected fields that nothing was compared with, and why.
    pub unchecked: Vec<String>,
    /// For the reader.
    pub notes: Vec<String>,
    /// Numbers compared.
    pub compared: usize,
}

/// Compares every leaf of `expected`.
pub fn compare(example: &Example, findings: &Findings) -> Verdict {
    let mut leaves = BTreeMap::new();
    let mut lists = Vec::new();
    for (key, value) in &example.expected {
        flatten(key, value, &mut leaves, &mut lists);
    }
    let mut verdict = Verdict { notes: findings.notes.clone(), ..Verdict::default() };
    verdict.failures.extend(findings.differences.iter().map(|f| Failure {
        id: f.id.clone(),
        rule: f.rule.clone(),
        field: f.field.clone(),
        expected: f.expected.clone(),
        got: f.got.clone(),
    }));
    let failure = |rule: &str, field: &str, expected: String, got: String| Failure {
        id: example.id.clone(),
        rule: rule.into(),
        field: field.into(),
        expected,
        got,
    };
    let mut agreed = BTreeSet::new();
    for (field, expected) in &leaves {
        let by_rule = findings.computed.get(field);
        let (rule, got) = match (example.except.get(field), by_rule, findings.excepted.get(field)) {
            (None, Some(found), _) => found,
            (Some(_), _, Some(instead)) => instead,
            (Some(why), ..) => {
                verdict.notes.push(format!("{field} not compared: {why}"));
                continue;
            }
            (None, None, _) => continue,
        };
        verdict.compared += 1;
        if is_same(expected, got, example) {
            agreed.insert(field.as_str());
        } else {
            verdict.failures.push(failure(rule, field, plain(expected), shown(got, expected)));
        }
    }
    for (field, length) in lists {
        // A list that ends too early lacks what its next element would be.
        let next = format!("{field}[{length}]");
        let missing = findings.computed.iter().find(|(name, _)| {
            name.strip_prefix(next.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        if let Some((name, (rule, got))) = missing {
            verdict.failures.push(failure(rule, name, "nothing".into(), shown(got, &Value::Null)));
        }
    }
    for field in leaves.keys() {
        if findings.computed.contains_key(field) || example.except.contains_key(field) {
            continue;
        }
        match findings.states.get(field) {
            Some(by) if by.iter().any(|by| leaves.contains_key(*by) && findings.computed.contains_key(*by)) => {}
            Some(_) => verdict.unchecked.push(format!("{field}: a state, and nothing expected follows from it")),
            None => verdict.unchecked.push(format!("{field}: no formula covers it with the inputs given")),
        }
    }
    // Where all is excepted nothing was proved.
    if agreed.is_empty() && verdict.failures.is_empty() && verdict.unchecked.is_empty() && !leaves.is_empty() {
        verdict.unchecked.push("nothing but exceptions".into());
    }
    verdict
}

/// Every number and word with its path: `rows[0].maint`, `percentile.2`. Null expects nothing.
fn flatten<'a>(
    path: &str,
    value: &'a Value,
    leaves: &mut BTreeMap<String, &'a Value>,
    lists: &mut Vec<(String, usize)>,
) {
    match value {
        Value::Null => {}
        Value::Object(map) => flatten_map(path, map, leaves, lists),
        Value::Array(list) => {
            lists.push((path.to_owned(), list.len()));
            for (i, value) in list.iter().enumerate() {
                flatten(&format!("{path}[{i}]"), value, leaves, lists);
            }
        }
        _ => {
            leaves.insert(path.to_owned(), value);
        }
    }
}

fn flatten_map<'a>(
    path: &str,
    map: &'a Map<String, Value>,
    leaves: &mut BTreeMap<String, &'a Value>,
    lists: &mut Vec<(String, usize)>,
) {
    for (key, value) in map {
        flatten(&format!("{path}.{key}"), value, leaves, lists);
    }
}

/// Exactly the same, or the same at the digits printed where the example or the formula says so.
fn is_same(expected: &Value, got: &Got, example: &Example) -> bool {
    if let Got::Word(word) = got {
        return expected.as_str() == Some(word);
    }
    let Some(printed) = number(expected) else { return false };
    let as_printed = example.verification.starts_with("agrees") || example.verification == "derived";
    match got {
        Got::Word(_) => false,
        Got::Number(exact) if as_printed => rounded(*exact, printed.scale()) == Some(printed),
        Got::Number(exact) => same_number(printed, *exact),
        Got::Quotient(negative, ratio) => at_printed_digits(printed, *negative, ratio),
        Got::Document(exact, negative, ratio) => {
            rounded(*exact, printed.scale()) == Some(printed) || at_printed_digits(printed, *negative, ratio)
        }
        Got::Double(digits, num, den) => is_double(printed, *digits, *num, *den),
    }
}

/// Equal; or the record is a double with noise behind its 15th digit.
fn same_number(printed: Decimal, exact: Shown) -> bool {
    let Some(exact) = decimal_of(exact) else { return false };
    let is_noisy = printed.scale() > 0 && significant_digits(printed) > DOUBLE_DIGITS;
    exact == printed || (is_noisy && printed.round_sf(DOUBLE_DIGITS) == exact.round_sf(DOUBLE_DIGITS))
}

fn at_printed_digits(printed: Decimal, negative: bool, ratio: &Ratio) -> bool {
    let magnitude = ratio.times_rounded(10u128.pow(printed.scale())).and_then(|x| i128::try_from(x).ok());
    magnitude.map(|x| if negative { -x } else { x }) == Some(printed.mantissa())
}

/// A quotient recorded as a double: up to 15 digits they are the quotient's, with more it is the double
/// nearest to it.
fn is_double(printed: Decimal, digits: Shown, num: u64, den: u64) -> bool {
    if significant_digits(printed) <= DOUBLE_DIGITS {
        return at_printed_digits(printed, false, &Ratio::new(num.into(), den.into()));
    }
    if num.max(den) > DOUBLE_EXACT {
        return decimal_of(digits) == printed.round_sf(DOUBLE_DIGITS);
    }
    #[expect(clippy::float_arithmetic, reason = "what is compared is the venue's own float division")]
    let nearest = num as f64 / den as f64;
    super::example::decimal(&nearest.to_string()) == Some(printed)
}

fn significant_digits(number: Decimal) -> u32 {
    number.normalize().mantissa().unsigned_abs().checked_ilog10().map_or(1, |digits| digits + 1)
}

fn decimal_of(shown: Shown) -> Option<Decimal> {
    let shown = shown.trimmed();
    Decimal::try_from_i128_with_scale(shown.mantissa, shown.decimals).ok()
}

/// With so many decimals, ties away from zero.
fn rounded(exact: Shown, decimals: u32) -> Option<Decimal> {
    let away = rust_decimal::RoundingStrategy::MidpointAwayFromZero;
    decimal_of(exact).map(|exact| exact.round_dp_with_strategy(decimals, away))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// As the reader wants to see it beside what was expected.
fn shown(got: &Got, expected: &Value) -> String {
    match got {
        Got::Word(word) => word.clone(),
        Got::Number(shown) | Got::Double(shown, ..) | Got::Document(shown, ..) => shown.to_string(),
        Got::Quotient(negative, ratio) => {
            let decimals = number(expected).map_or(8, |number| number.scale());
            match ratio.times_rounded(10u128.pow(decimals)).and_then(|x| i128::try_from(x).ok()) {
                Some(x) => Shown { mantissa: if *negative { -x } else { x }, decimals }.to_string(),
                None => "out of range".into(),
            }
        }
    }
}
