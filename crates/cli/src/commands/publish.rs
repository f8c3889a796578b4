//! `meshx publish`: publish a module, and ask for a royalty.

use crate::{request::TEXT_BYTES_MAX, settings::Settings, user};
use anyhow::Result;
use client::Module;
use std::path::Path;
use types::{Action, Hash};

/// The module itself stays here: a job brings it along. Only its hash is published.
pub fn publish(settings: &Settings, file: &Path, royalty_bps: u16) -> Result<()> {
    let name = file.display().to_string();
    let bytes = client::read_plain(file, TEXT_BYTES_MAX)?;
    // What a job brings along is the module in binary form, also where this is text.
    let module = Hash::of_content(Module::read(&client::engine()?, &name, &bytes)?.bytes());
    let client = user::client(settings)?;
    let action = Action::PublishModule { module, royalty_bps };
    let key = user::paying_key(settings, &client)?;
    let done = client::act(&client, &key, settings.chain, action)?;
    if settings.json() {
        println!(
            "{}",
            serde_json::json!({ "module": module, "tx": done.tx, "height": done.height })
        );
    } else {
        let height = done.height.unwrap_or_default();
        println!("module {module} is published as yours on {}, block {height}", settings.chain);
    }
    Ok(())
}
