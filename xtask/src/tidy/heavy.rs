//! Heavy dependencies: each lives in as few crates as the design names (§9, §10).
//!
//! Dev-dependencies count too: they cost the same minutes to build.

use crate::workspace::Package;

struct Heavy {
    /// A package, or a family when it ends in a star.
    name: &'static str,
    /// The crates that may name it.
    allowed: &'static [&'static str],
}

/// The first line that fits decides, so exceptions stand above their family.
const TABLE: &[Heavy] = &[
    Heavy {
        name: "commonware-codec",
        allowed: &["types", "chain", "consensus", "network", "receipt", "sim"],
    },
    Heavy {
        name: "commonware-runtime",
        allowed: &["chain", "consensus", "network", "receipt", "node", "sim"],
    },
    Heavy { name: "commonware-*", allowed: &["chain", "consensus", "network", "receipt", "sim"] },
    Heavy { name: "wasmtime*", allowed: &["sandbox"] },
    Heavy { name: "axum*", allowed: &["api", "node", "edge"] },
    Heavy { name: "utoipa*", allowed: &["api", "node"] },
    Heavy {
        name: "tokio",
        allowed: &[
            "api",
            "node",
            "network",
            "worker",
            "cli",
            "edge",
            "blobs",
            "consensus",
            "measure",
            "overlay",
            "bench",
            "fuzz-targets",
        ],
    },
    Heavy { name: "clap*", allowed: &["args", "cli", "lab", "xtask"] },
    // To be measured beside ours.
    Heavy { name: "libp2p-noise", allowed: &["bench"] },
    // Attackers on the bench speak as overlays do.
    Heavy { name: "libp2p*", allowed: &["overlay", "bench"] },
    Heavy { name: "snow", allowed: &["network"] },
    Heavy { name: "ed25519-zebra", allowed: &["crypto"] },
];

pub fn check(packages: &[Package]) -> Vec<String> {
    let mut faults = Vec::new();
    for package in packages {
        for dependency in package.dependencies.iter().filter(|dependency| !dependency.ours) {
            let Some(heavy) = TABLE.iter().find(|heavy| heavy.fits(&dependency.name)) else {
                continue;
            };
            if !heavy.allowed.contains(&package.name.as_str()) {
                faults.push(format!(
                    "{} names {}, which only {} may (xtask/src/tidy/heavy.rs)",
                    package.name,
                    dependency.name,
                    heavy.allowed.join(", "),
                ));
            }
        }
    }
    faults
}

impl Heavy {
    fn fits(&self, name: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(family) => name.starts_with(family),
            None => name == self.name,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::workspace::fixture;

    fn check(lines: &[&str], expected: &[&str]) {
        assert_eq!(super::check(&fixture(lines)), expected);
    }

    #[test]
    fn each_at_home_is_fine() {
        check(
            &[
                "types -> commonware-codec, serde",
                "sandbox -> wasmtime, dev:wasmtime-wasi",
                "node -> commonware-runtime, axum",
            ],
            &[],
        );
    }

    #[test]
    fn wasmtime_outside_the_sandbox_fails() {
        check(
            &["worker -> wasmtime-wasi"],
            &["worker names wasmtime-wasi, which only sandbox may (xtask/src/tidy/heavy.rs)"],
        );
    }

    #[test]
    fn types_gets_the_codec_and_nothing_else() {
        check(
            &["types -> commonware-codec, commonware-utils"],
            &[
                "types names commonware-utils, which only chain, consensus, network, receipt, sim may (xtask/src/tidy/heavy.rs)",
            ],
        );
    }

    #[test]
    fn tests_count_too() {
        check(
            &["ledger -> dev:libp2p"],
            &["ledger names libp2p, which only overlay, bench may (xtask/src/tidy/heavy.rs)"],
        );
    }
}
