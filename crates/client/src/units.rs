//! Numbers as people read them.

/// `12345678` as `12,345,678`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in their largest unit: `512 B`, `1.5 KiB`, `64 MiB`.
#[must_use]
pub fn bytes(count: u128) -> String {
    let mut value = count as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1_024.0 {
            return format!("{} {unit}", short(value));
        }
        value /= 1_024.0;
    }
    format!("{} TiB", short(value))
}

/// A number with about three digits that count.
#[must_use]
pub fn short(value: f64) -> String {
    let digits = match value {
        value if value == 0.0 || value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        value if value >= 1.0 => 2,
        value if value >= 0.1 => 3,
        _ => 6,
    };
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// The first characters of an id: enough to tell it from others, and to type it.
#[must_use]
pub fn short_id(id: &types::Hash) -> String {
    id.to_string().chars().take(12).collect()
}

/// The fewest first characters, `min` or more, that tell each of these ids from the others.
#[must_use]
pub fn unique_len(ids: &[String], min: usize) -> usize {
    let differ = |len: usize| {
        let mut cut: Vec<&str> = ids.iter().filter_map(|id| id.get(..len)).collect();
        cut.sort_unstable();
        cut.windows(2).all(|pair| pair[0] != pair[1])
    };
    let whole = ids.iter().map(String::len).max().unwrap_or(min);
    (min..whole).find(|len| differ(*len)).unwrap_or(whole)
}

/// An address by its two ends.
#[must_use]
pub fn short_address(address: &types::Address) -> String {
    let text = address.to_string();
    let (first, last) = (text.get(..14).unwrap_or(&text), text.get(text.len() - 6..).unwrap_or(""));
    format!("{first}…{last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ids_tell_each_other_apart() {
        let ids = |ids: &[&str]| {
            unique_len(&ids.iter().map(|id| format!("{id:0<64}")).collect::<Vec<_>>(), 8)
        };
        assert_eq!(ids(&[]), 8);
        assert_eq!(ids(&["12345678aa", "02345678aa"]), 8);
        assert_eq!(ids(&["12345678aa", "12345678ab"]), 10);
    }

    #[test]
    fn numbers_are_read_at_a_glance() {
        assert_eq!(
            [0, 999, 1_000, 10_000_000_000].map(grouped),
            ["0", "999", "1,000", "10,000,000,000"]
        );
        assert_eq!(
            [0, 512, 1_536, 64 << 20, 3 << 30, 5 << 40].map(bytes),
            ["0 B", "512 B", "1.5 KiB", "64 MiB", "3 GiB", "5 TiB"]
        );
        assert_eq!(
            [0.0, 0.25, 12.34, 1_234.5, 0.000_12].map(short),
            ["0", "0.25", "12.3", "1234", "0.00012"]
        );
    }
}
