//! Whether a package may be used under one of the licences that are allowed: SPDX expressions, as far as crates use them.

/// Whether `expression` can be met with licences that `allowed` accepts.
///
/// `A OR B` and the old `A/B` are met by either, `A AND B` by both, `A WITH B` is a licence of its own. What cannot be
/// read is not met.
pub fn met(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = &words[..];
    either(&mut rest, allowed) == Some(true) && rest.is_empty()
}

fn either(rest: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let mut met = both(rest, allowed)?;
    while let Some(("OR", more)) = rest.split_first().map(|(word, more)| (*word, more)) {
        *rest = more;
        met |= both(rest, allowed)?;
    }
    Some(met)
}

fn both(rest: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let mut met = one(rest, allowed)?;
    while let Some(("AND", more)) = rest.split_first().map(|(word, more)| (*word, more)) {
        *rest = more;
        met &= one(rest, allowed)?;
    }
    Some(met)
}

fn one(rest: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let (met, more) = match **rest {
        ["(", ref more @ ..] => {
            *rest = more;
            let met = either(rest, allowed)?;
            let (")", more) = rest.split_first().map(|(word, more)| (*word, more))? else {
                return None;
            };
            *rest = more;
            return Some(met);
        }
        ["OR" | "AND" | "WITH" | ")", ..] | [] => return None,
        [licence, "WITH", exception, ref more @ ..] => {
            (allowed(&format!("{licence} WITH {exception}")), more)
        }
        [licence, ref more @ ..] => (allowed(licence), more),
    };
    *rest = more;
    Some(met)
}

#[cfg(test)]
mod tests {
    use super::met;

    fn check(expression: &str, expected: bool) {
        let allowed = |licence: &str| ["MIT", "ISC", "A WITH x"].contains(&licence);
        assert_eq!(met(expression, &allowed), expected, "{expression}");
    }

    #[test]
    fn one_of_several_is_enough() {
        check("MIT", true);
        check("GPL", false);
        check("GPL OR MIT", true);
        check("GPL/MIT", true);
        check("GPL OR B", false);
    }

    #[test]
    fn all_of_several_are_needed() {
        check("MIT AND ISC", true);
        check("MIT AND GPL", false);
        check("GPL OR MIT AND ISC", true);
        check("MIT OR ISC AND GPL", true);
        check("(MIT OR ISC) AND GPL", false);
        check("ISC AND (GPL OR (MIT AND ISC))", true);
    }

    #[test]
    fn an_exception_is_a_licence_of_its_own() {
        check("A WITH x", true);
        check("A", false);
        check("MIT WITH x", false);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for expression in ["", "MIT OR", "MIT ISC", "(MIT", "MIT)", "AND MIT"] {
            check(expression, false);
        }
    }
}
