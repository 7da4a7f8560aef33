//! Reading examples: exact numbers, in range, or a clear word about what is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use contract::{ContractSpec, Leverage, Price, Qty, Rate, Side, Xbt};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

/// The largest amount or quantity read: more than all bitcoins, and small enough for every product.
const LARGEST: i64 = 10_000_000_000_000_000;

/// Why a file cannot be checked.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct Unusable {
    place: String,
    problem: String,
}

impl Unusable {
    /// Of the whole file.
    pub fn file(problem: &str) -> Unusable {
        Unusable { place: "unusable".into(), problem: problem.into() }
    }
}

/// One worked example.
#[derive(Debug)]
pub struct Example {
    /// Its name.
    pub id: String,
    /// Which formulas it is about.
    pub kind: String,
    /// Where it was recorded.
    pub source: String,
    /// What is given.
    pub inputs: Map<String, Value>,
    /// What is to come out.
    pub expected: Map<String, Value>,
    /// How far the numbers were recomputed by whoever wrote the example.
    pub verification: String,
    /// Fields in which the record is known to be late or under an older rule, and why.
    pub except: BTreeMap<String, String>,
}

/// The examples of a file.
pub fn read(text: &str) -> Result<Vec<Example>, Unusable> {
    let root: Value = serde_json::from_str(text).map_err(|error| Unusable::file(&format!("not JSON: {error}")))?;
    let Some(root) = root.as_object() else {
        return Err(Unusable::file("not an object with `schema` and `examples`"));
    };
    match root.get("schema").and_then(Value::as_u64) {
        Some(1) => {}
        _ => return Err(Unusable::file("`schema` is not 1: another format")),
    }
    let Some(list) = root.get("examples").and_then(Value::as_array) else {
        return Err(Unusable::file("no list `examples`"));
    };
    let mut ids = BTreeSet::new();
    let mut examples = Vec::with_capacity(list.len());
    for (i, value) in list.iter().enumerate() {
        let example = read_one(value).map_err(|problem| Unusable { place: format!("examples[{i}]"), problem })?;
        if !ids.insert(example.id.clone()) {
            return Err(Unusable { place: example.id, problem: "two examples have this id".into() });
        }
        examples.push(example);
    }
    Ok(examples)
}

fn read_one(value: &Value) -> Result<Example, String> {
    let object = value.as_object().ok_or("not an object")?;
    let text = |key: &str| match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("`{key}` is not text")),
    };
    let map = |key: &str| match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(map)) => Ok(Some(map.clone())),
        Some(_) => Err(format!("`{key}` is not an object")),
    };
    let mut except = BTreeMap::new();
    for (field, why) in map("except")?.unwrap_or_default() {
        except.insert(field, why.as_str().ok_or("`except` says why in text")?.to_owned());
    }
    Ok(Example {
        id: text("id")?.ok_or("no `id`")?,
        kind: text("kind")?.ok_or("no `kind`")?,
        source: text("source")?.unwrap_or_default(),
        inputs: map("inputs")?.ok_or("no `inputs`")?,
        expected: map("expected")?.ok_or("no `expected`")?,
        verification: text("verification")?.unwrap_or_default(),
        except,
    })
}

/// The number in a JSON value, exact; `None` where it is not one.
pub fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => decimal(&number.to_string()),
        Value::String(text) => decimal(text),
        _ => None,
    }
}

/// A decimal text, exact; `None` where it is not one, or has more digits than 28.
pub fn decimal(text: &str) -> Option<Decimal> {
    if text.bytes().any(|byte| matches!(byte, b'_' | b' ')) {
        return None;
    }
    if text.contains(['e', 'E']) {
        return Decimal::from_scientific(text).ok();
    }
    Decimal::from_str_exact(text).ok()
}

/// Named values of an example, or of one row in it. Absent and null are the same: not given.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    id: &'a str,
    values: &'a Map<String, Value>,
}

impl<'a> Given<'a> {
    /// The values of the example `id`.
    pub fn new(id: &'a str, values: &'a Map<String, Value>) -> Given<'a> {
        Given { id, values }
    }

    /// A word about what is wrong with a field.
    pub fn unusable(&self, key: &str, problem: impl Display) -> Unusable {
        Unusable { place: format!("{}: {key}", self.id), problem: problem.to_string() }
    }

    /// The value as it is.
    pub fn value(&self, key: &str) -> Option<&'a Value> {
        self.values.get(key).filter(|value| !value.is_null())
    }

    /// A text.
    pub fn text(&self, key: &str) -> Result<Option<&'a str>, Unusable> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.unusable(key, format!("{other} is not text"))),
        }
    }

    /// True or false.
    pub fn truth(&self, key: &str) -> Result<Option<bool>, Unusable> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Bool(truth)) => Ok(Some(*truth)),
            Some(other) => Err(self.unusable(key, format!("{other} is neither true nor false"))),
        }
    }

    /// A list.
    pub fn list(&self, key: &str) -> Result<Option<&'a [Value]>, Unusable> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(other) => Err(self.unusable(key, format!("{other} is not a list"))),
        }
    }

    /// The rows of a list of objects.
    pub fn rows(&self, key: &str) -> Result<Option<Vec<Given<'a>>>, Unusable> {
        let Some(list) = self.list(key)? else { return Ok(None) };
        let row = |value: &'a Value| match value {
            Value::Object(values) => Ok(Given { id: self.id, values }),
            other => Err(self.unusable(key, format!("{other} is not an object"))),
        };
        list.iter().map(row).collect::<Result<_, _>>().map(Some)
    }

    /// An exact decimal.
    pub fn decimal(&self, key: &str) -> Result<Option<Decimal>, Unusable> {
        let Some(value) = self.value(key) else { return Ok(None) };
        number(value).map(Some).ok_or_else(|| self.unusable(key, format!("{value} is not a number")))
    }

    /// The decimal times 10^`decimals`, which must be whole.
    fn scaled(&self, key: &str, decimals: u32) -> Result<Option<i64>, Unusable> {
        let Some(number) = self.decimal(key)? else { return Ok(None) };
        whole(number, decimals).map(Some).ok_or_else(|| {
            self.unusable(key, format!("{number} is not exact with {decimals} decimals, or out of range"))
        })
    }

    /// A whole number.
    pub fn integer(&self, key: &str) -> Result<Option<i64>, Unusable> {
        self.scaled(key, 0)
    }

    /// An amount in XBt.
    pub fn xbt(&self, key: &str) -> Result<Option<Xbt>, Unusable> {
        Ok(self.integer(key)?.map(Xbt))
    }

    /// An amount given in XBT.
    pub fn in_xbt(&self, key: &str) -> Result<Option<Xbt>, Unusable> {
        Ok(self.scaled(key, 8)?.map(Xbt))
    }

    /// Amounts of a list.
    pub fn amounts(&self, key: &str) -> Result<Option<Vec<Xbt>>, Unusable> {
        let Some(list) = self.list(key)? else { return Ok(None) };
        let amount = |value: &Value| {
            let amount = number(value).and_then(|number| whole(number, 0));
            amount.map(Xbt).ok_or_else(|| self.unusable(key, format!("{value} is not an amount")))
        };
        list.iter().map(amount).collect::<Result<_, _>>().map(Some)
    }

    /// A price of at least 0.01 USD, exact in 0.01.
    pub fn price(&self, key: &str) -> Result<Option<Price>, Unusable> {
        self.price_of(key, self.scaled(key, 2)?)
    }

    /// Prices of a list.
    pub fn prices(&self, key: &str) -> Result<Option<Vec<Price>>, Unusable> {
        let Some(list) = self.list(key)? else { return Ok(None) };
        let price = |value: &Value| {
            let scaled = number(value).and_then(|number| whole(number, 2));
            let scaled = scaled.ok_or_else(|| self.unusable(key, format!("{value} is not a price in 0.01")))?;
            Ok(self.price_of(key, Some(scaled))?.expect("it was given"))
        };
        list.iter().map(price).collect::<Result<_, _>>().map(Some)
    }

    fn price_of(&self, key: &str, scaled: Option<i64>) -> Result<Option<Price>, Unusable> {
        // never_price, the highest price of all, is 10^10 of 0.01 USD.
        match scaled {
            None => Ok(None),
            Some(price @ 1..=10_000_000_000) => Ok(Some(Price(price.unsigned_abs()))),
            Some(_) => Err(self.unusable(key, "a price is 0.01 to 100,000,000")),
        }
    }

    /// A price in 0.0001 USD.
    pub fn fine_price(&self, key: &str) -> Result<Option<u64>, Unusable> {
        match self.scaled(key, 4)? {
            None => Ok(None),
            Some(price @ 1..=1_000_000_000_000) => Ok(Some(price.unsigned_abs())),
            Some(_) => Err(self.unusable(key, "a price is 0.0001 to 100,000,000")),
        }
    }

    /// A rate between −1 and 1, exact in 1e-8.
    pub fn rate(&self, key: &str) -> Result<Option<Rate>, Unusable> {
        match self.scaled(key, 8)? {
            None => Ok(None),
            Some(rate @ -100_000_000..=100_000_000) => Ok(Some(Rate(rate))),
            Some(_) => Err(self.unusable(key, "a rate lies between -1 and 1")),
        }
    }

    /// A leverage of 0.01 to 1,000, exact in hundredths.
    pub fn leverage(&self, key: &str) -> Result<Option<Leverage>, Unusable> {
        match self.scaled(key, 2)? {
            None => Ok(None),
            Some(hundredths @ 1..=100_000) => Ok(u32::try_from(hundredths).ok().map(Leverage)),
            Some(_) => Err(self.unusable(key, "a leverage is 0.01 to 1,000")),
        }
    }

    /// A quantity above zero.
    pub fn qty(&self, key: &str) -> Result<Option<Qty>, Unusable> {
        match self.integer(key)? {
            None => Ok(None),
            Some(qty @ 1..) => Ok(Some(Qty(qty.unsigned_abs()))),
            Some(_) => Err(self.unusable(key, "a quantity is above zero")),
        }
    }

    /// Buy or sell; long and short are positions bought and sold.
    pub fn side(&self, key: &str) -> Result<Option<Side>, Unusable> {
        match self.text(key)? {
            None => Ok(None),
            Some("Buy" | "buy" | "long" | "Long") => Ok(Some(Side::Buy)),
            Some("Sell" | "sell" | "short" | "Short") => Ok(Some(Side::Sell)),
            Some(other) => Err(self.unusable(key, format!("{other} is neither Buy nor Sell"))),
        }
    }

    /// The contract the example is about: rule CONTRACT-1's, in the example's unit, tick and highest
    /// price.
    pub fn spec(&self) -> Result<ContractSpec, Unusable> {
        let mut spec = ContractSpec::XBTUSD_2019;
        spec.value_unit = match self.text("unitRule")? {
            None | Some("per_contract") => 1,
            Some(rule) => rule
                .strip_prefix("per_")
                .and_then(|rest| rest.strip_suffix("_lot"))
                .and_then(|lot| lot.parse().ok())
                .filter(|lot| (1..=1_000_000).contains(lot))
                .ok_or_else(|| self.unusable("unitRule", format!("{rule} is not per_contract or per_N_lot")))?,
        };
        spec.lot = Qty(spec.value_unit);
        if let Some(tick) = self.price("tick")? {
            spec.tick_size = tick;
        }
        if let Some(highest) = self.price("maxPrice")? {
            spec.never_price = highest;
        }
        Ok(spec)
    }

    /// Do all amounts that follow from this position or order stay in range? (Rule LIMIT-1)
    pub fn in_range(&self, key: &str, amount: i128) -> Result<(), Unusable> {
        if amount.abs() > i128::from(LARGEST) {
            return Err(self.unusable(key, "beyond the amounts of rule LIMIT-1"));
        }
        Ok(())
    }
}

/// `number`·10^`decimals` where it is whole and in range.
fn whole(number: Decimal, decimals: u32) -> Option<i64> {
    let number = number.normalize();
    let shift = decimals.checked_sub(number.scale())?;
    let scaled = number.mantissa().checked_mul(10i128.checked_pow(shift)?)?;
    i64::try_from(scaled).ok().filter(|scaled| scaled.abs() <= LARGEST)
}
