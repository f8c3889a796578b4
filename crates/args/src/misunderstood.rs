//! What was typed and not understood, in the parts that programs read.

/// A mistake in what was typed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Misunderstood(String);

impl Misunderstood {
    /// The mistake, without the summary of options that a person is shown below it.
    pub fn of(error: &clap::Error) -> Self {
        let text = error.to_string();
        let (mut said, mut hints) = (Vec::new(), Vec::new());
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if line.starts_with("Usage:") || line.starts_with("For more information") {
                break;
            }
            match line.strip_prefix("tip: ") {
                Some(tip) => hints.push(format!("hint: {tip}")),
                None => said.push(line.trim_start_matches("error: ").to_owned()),
            }
        }
        said.extend(hints);
        Self(said.join("\n"))
    }
}
