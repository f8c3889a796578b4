//! Features: none in pure crates, so that no build can carry other rules (style §10).
//!
//! Optional dependencies count: each is a feature of its name.

use super::PURE;
use crate::workspace::Package;

pub fn check(packages: &[Package]) -> Vec<String> {
    packages
        .iter()
        .filter(|package| PURE.contains(&package.name.as_str()) && !package.features.is_empty())
        .map(|package| {
            format!(
                "{} declares features ({}): rules have none",
                package.name,
                package.features.join(", ")
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::fixture;

    #[test]
    fn a_switch_on_the_rules_fails() {
        let mut packages = fixture(&["chain", "sandbox"]);
        assert_eq!(check(&packages), [""; 0]);
        for package in &mut packages {
            package.features = vec!["fast".to_owned()];
        }
        assert_eq!(check(&packages), ["chain declares features (fast): rules have none"]);
    }
}
