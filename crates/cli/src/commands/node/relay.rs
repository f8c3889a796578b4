//! `meshx node start --role relay`: holds no chain and runs no jobs; carries connections, and keeps records for others.

use super::meet::{self, Meeting};
use crate::{args::NodeStart, commands::up::stop_signal, settings::Settings};
use anyhow::{Context as _, Result};
use node::Folder;
use overlay::Overlay;
use std::time::Duration;

pub fn start(settings: &Settings, args: &NodeStart) -> Result<()> {
    let network = meet::network_of(args)?;
    let _held = Folder::open(&args.dir)?;
    let meeting = Meeting::of_chainless(args, meet::identity(&args.dir)?, network, settings.chain)?;
    let runtime = tokio::runtime::Runtime::new().context("the machine gives no threads")?;
    runtime.block_on(async {
        let overlay = Overlay::start(meeting.config)?;
        println!("id        {}", overlay.id());
        meet::tell(&overlay, network).await?;
        let metrics = meet::watch(&overlay, args.overlay.metrics).await?;
        println!("ready");
        tokio::select! {
            result = stop_signal() => result?,
            () = meet::keep_status(&overlay, &args.dir, metrics, || None) => {}
        }
        eprintln!("stopping");
        overlay.close().await;
        anyhow::Ok(())
    })?;
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(())
}
