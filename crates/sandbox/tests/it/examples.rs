//! Every example program that has been built, and those in the folder that `MESHX_EXAMPLES` names,
//! runs here as it does under wasmtime-wasi.

use crate::common::{LIMITS, engine, run};
use crate::reference;
use sandbox::{Engine, Job};
use std::path::{Path, PathBuf};
use types::{Abi, Fuel, Limits, Status};

/// What they find on standard input.
const INPUTS: [&[u8]; 3] =
    [b"", b"the quick brown fox jumps over the lazy dog\n", br#"{"name":"mesh","n":100}"#];

#[test]
fn examples_give_the_same_everywhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut found = vec![];
    collect(&root, &mut found);
    // Any other folder of programs can be compared too.
    if let Some(more) = std::env::var_os("MESHX_EXAMPLES") {
        collect(Path::new(&more), &mut found);
    }
    found.sort();
    let engine = engine();
    for path in &found {
        let module = std::fs::read(path).unwrap();
        match engine.inspect(&module) {
            Ok(inspected) => {
                for input in INPUTS {
                    check(&engine, &module, inspected.abi, input, path);
                }
                println!(
                    "ran {} ({:?}, float: {})",
                    path.display(),
                    inspected.abi,
                    inspected.uses_float
                );
            }
            Err(refused) => println!("not for the sandbox: {}: {refused}", path.display()),
        }
    }
    println!("{} examples found under {}", found.len(), root.display());
}

fn check(engine: &Engine, module: &[u8], abi: Abi, input: &[u8], path: &Path) {
    let limits = Limits {
        fuel: Fuel::new(20_000_000_000),
        memory_bytes: 256 << 20,
        output_bytes: 64 << 20,
        ..LIMITS
    };
    let job = Job {
        input,
        args: &["10"],
        files: &[("alpha", b"0123456789")],
        ..Job::new(module, abi, limits)
    };
    let ours = run(engine, &job);
    assert_eq!(ours, run(engine, &job), "{} does not repeat", path.display());
    println!(
        "  {:?}, {} bytes out, fuel {} of which host {}",
        ours.status,
        ours.stdout.len(),
        ours.fuel,
        ours.fuel_host
    );
    if abi == Abi::Raw || matches!(ours.status, Status::Exited(126..)) {
        return; // wasmtime-wasi has no such thing to compare with.
    }
    let theirs = reference::run(&job);
    assert_eq!((ours.status, &ours.stderr), (theirs.status, &theirs.stderr), "{}", path.display());
    assert!(ours.stdout == theirs.stdout, "{} prints something else", path.display());
    let own = Fuel::new(ours.fuel.get() - ours.fuel_host.get());
    assert_eq!(own, theirs.fuel, "{} costs something else", path.display());
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if entry.file_name() != "node_modules" {
                collect(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "wasm") {
            found.push(path);
        }
    }
}
