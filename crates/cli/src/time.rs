//! Stamps of recordings: UTC text and decimal seconds, to nanoseconds since 1970, without floats.

const DAY_NS: u64 = 86_400 * SECOND_NS;
/// Nanoseconds in a second.
pub const SECOND_NS: u64 = 1_000_000_000;
/// Nanoseconds in a millisecond.
pub const MILLISECOND_NS: u64 = 1_000_000;

/// `2019-05-03T12:00:09.576Z` in ns.
#[must_use]
pub fn parse_utc(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.split('-');
    let (year, month, day) = (date.next()?, date.next()?, date.next()?);
    let mut time = time.split(':');
    let (hour, minute, second) = (number(time.next()?)?, number(time.next()?)?, time.next()?);
    if date.next().is_some() || time.next().is_some() || year.len() != 4 {
        return None;
    }
    let days = days_since_1970(number(year)?, number(month)?, number(day)?)?;
    let seconds = parse_seconds(second)?;
    if hour > 23 || minute > 59 || seconds >= 61 * SECOND_NS {
        return None;
    }
    days.checked_mul(DAY_NS)?.checked_add((hour * 3600 + minute * 60) * SECOND_NS + seconds)
}

/// `1626993370.032963` in ns; what lies below a nanosecond is cut off.
#[must_use]
pub fn parse_seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut ns = 0;
    for place in 0..9 {
        ns = ns * 10 + fraction.as_bytes().get(place).map_or(0, |byte| u64::from(byte.wrapping_sub(b'0')));
    }
    number(fraction.get(..fraction.len().min(18))?)?;
    number(whole)?.checked_mul(SECOND_NS)?.checked_add(ns)
}

/// A year and a month as one number, `2021-07-22T…` as 202107.
#[must_use]
pub fn year_month(text: &str) -> Option<u64> {
    parse_utc(text)?;
    Some(number(&text[..4])? * 100 + number(&text[5..7])?)
}

fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) { None } else { text.parse().ok() }
}

fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let before = BEFORE.get(usize::try_from(month.checked_sub(1)?).ok()?)?;
    if year < 1970 || day == 0 || day > 31 {
        return None;
    }
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let leaps = |year: u64| year / 4 - year / 100 + year / 400;
    let leap_days = leaps(year - 1) - leaps(1969) + u64::from(is_leap && month > 2);
    Some((year - 1970) * 365 + leap_days + before + day - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utc_text_is_read_to_the_nanosecond() {
        for (text, ns) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-03-01T00:00:00.000000001Z", Some(951_868_800_000_000_001)),
            ("2019-05-03T12:00:09.576Z", Some(1_556_884_809_576_000_000)),
            ("2024-02-29T23:59:59.5Z", Some(1_709_251_199_500_000_000)),
            ("2019-13-03T12:00:09Z", None),
            ("2019-05-03 12:00:09", None),
            ("2019-05-03T24:00:00Z", None),
            ("9999-01-01T00:00:00Z", None),
            ("", None),
        ] {
            assert_eq!(parse_utc(text), ns, "{text}");
        }
        assert_eq!(year_month("2021-07-22T22:36:11.685Z"), Some(202_107));
    }

    #[test]
    fn decimal_seconds_keep_their_digits() {
        assert_eq!(parse_seconds("1626993370.032963"), Some(1_626_993_370_032_963_000));
        assert_eq!(parse_seconds("1626993370"), Some(1_626_993_370_000_000_000));
        assert_eq!(parse_seconds("1.x"), None);
        assert_eq!(parse_seconds(""), None);
        assert_eq!(parse_seconds("99999999999999999999"), None);
    }
}
