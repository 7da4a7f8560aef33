//! Numbers and lines for a reader: grouped digits, prices, XBT, text that fits the page.

use contract::{ContractSpec, Price, Tick, Xbt};

/// Columns of the page.
pub const PAGE: usize = 100;
/// Satoshi in one XBT.
const XBT: u64 = contract::units::XBT as u64;

/// `1,234,567`.
pub fn grouped(number: impl Into<i128>) -> String {
    let number: i128 = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut out = String::from(if number < 0 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `9,412.50`.
pub fn usd(price: Price) -> String {
    format!("{}.{:02}", grouped(price.0 / Price::PER_USD), price.0 % Price::PER_USD)
}

/// A price on the grid: `9,338.5`, with the second digit where the grid needs it.
pub fn at_tick(spec: &ContractSpec, tick: Tick) -> String {
    let text = usd(spec.tick_price(tick));
    if spec.tick_size.0.is_multiple_of(10) { text[..text.len() - 1].to_owned() } else { text }
}

/// A liquidation price, which lies on the grid; `-` where there is none, `never` where it is out of reach.
pub fn on_grid(spec: &ContractSpec, price: Price) -> String {
    match spec.tick_at(price) {
        Some(tick) => at_tick(spec, tick),
        None if price == Price::NONE => "-".to_owned(),
        None => "never".to_owned(),
    }
}

/// `1.23456789`, in XBT.
pub fn xbt(amount: Xbt) -> String {
    let magnitude = amount.0.unsigned_abs();
    let sign = if amount.0 < 0 { "-" } else { "" };
    format!("{sign}{}.{:08}", grouped(magnitude / XBT), magnitude % XBT)
}

/// `a`, `a and b`, `a, b and c`.
pub fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// `1 order`, `2 orders`.
pub fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// The text in lines of the page, the later ones indented as far as the first begins.
pub fn wrapped(head: &str, text: &str) -> String {
    let indent = head.chars().count();
    let mut out = String::from(head);
    let mut column = indent;
    for (place, word) in text.split_whitespace().enumerate() {
        let width = word.chars().count();
        if place > 0 && column + 1 + width > PAGE {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
        } else if place > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_groups_of_three() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (-1_234_567, "-1,234,567")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(xbt(Xbt(-123_456_789)), "-1.23456789");
        assert_eq!(usd(Price(941_205)), "9,412.05");
        assert_eq!(at_tick(&ContractSpec::XBTUSD_2019, Tick(18_677)), "9,338.5");
    }

    #[test]
    fn lines_end_before_the_page_does() {
        let text = wrapped("14:00:00  ", &"word ".repeat(60));
        assert!(text.lines().all(|line| line.len() <= PAGE) && text.lines().count() > 3);
        assert!(text.lines().skip(1).all(|line| line.starts_with("          word")));
    }
}
