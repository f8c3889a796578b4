//! Small programs on which the product was wrong once, read from `shared/cases/wasm` beside the project.
//!
//! Where that folder is missing there is nothing to do. The C ones are built with the compiler that
//! `shared/lab/zig-cc.sh setup` fetches; where nobody has called it, they are passed over.

use crate::common::{LIMITS, ended, engine, module, run};
use crate::reference;
use sandbox::{Engine, Job, Refused, Run};
use std::path::{Path, PathBuf};
use std::process::Command;
use types::{Abi, Fuel, Limits, Status, Trap};

fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(path);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: there is no {}", path.display());
    None
}

/// A text module among the cases.
fn text(name: &str) -> Option<Vec<u8>> {
    Some(module(&std::fs::read_to_string(shared(&format!("cases/wasm/{name}.wat"))?).unwrap()))
}

#[test]
fn text_modules_end_as_they_should() {
    let engine = engine();
    let ended = |name: &str, abi, input: &[u8]| {
        let module = text(name)?;
        Some(run(&engine, &Job { input, ..Job::new(&module, abi, LIMITS) }))
    };
    let Some(divided) = ended("div0", Abi::Wasi, b"") else { return };
    assert_eq!(divided.status, Status::Trapped(Trap::Wasm));
    assert!(divided.fuel < Fuel::new(5_000), "up to the trap, not the limit: {}", divided.fuel);
    assert!(divided.trap.unwrap().to_string().starts_with("integer divide by zero in function 0"));
    let reached = ended("unreachable", Abi::Wasi, b"").unwrap();
    assert!(reached.trap.unwrap().to_string().starts_with("unreachable executed in function 0"));
    assert!(reached.fuel < Fuel::new(5_000));
    assert_eq!(ended("growfail", Abi::Wasi, b"").unwrap().status, Status::Exited(0));
    assert_eq!(ended("rawecho", Abi::Raw, b"echo").unwrap().stdout, b"echo");
    assert_eq!(ended("rawneg", Abi::Raw, b"").unwrap().status, Status::Exited(3));
}

#[test]
fn modules_that_cannot_run_are_refused_by_name() {
    let engine = engine();
    let refused = |name: &str| engine.inspect(&text(name)?).err().map(|error| error.to_string());
    for (name, words) in [
        ("nomemory", &["fd_write", "exports no memory", "--export-memory"][..]),
        ("reactor", &["WASI reactor", "_initialize", "build a command"]),
        ("startonly", &["_start"]),
        ("startresult", &["_start", "() -> (i32)"]),
        ("unstable", &["wasi_unstable", "preview 1"]),
    ] {
        let Some(said) = refused(name) else {
            assert!(shared("cases/wasm").is_none(), "{name} is not refused");
            return;
        };
        for word in words {
            assert!(said.contains(word), "{name}: {word:?} is missing from: {said}");
        }
    }
    let emscripten = module(
        r#"(module (import "a" "a" (func)) (memory (export "memory") 1) (func (export "_start")))"#,
    );
    let said = engine.inspect(&emscripten).unwrap_err();
    assert!(matches!(&said, Refused::UnknownImport { .. }), "{said}");
    assert!(said.to_string().contains("Emscripten"), "{said}");
    let own = module(
        r#"(module (import "host" "call_me" (func)) (memory (export "memory") 1) (func (export "_start")))"#,
    );
    let said = engine.inspect(&own).unwrap_err().to_string();
    assert!(said.contains("host.call_me"), "{said}");
}

/// The C programs, built; `None` if this machine cannot.
struct Programs {
    compiler: PathBuf,
    engine: Engine,
}

impl Programs {
    fn find() -> Option<Self> {
        let compiler = shared("lab/zig-cc.sh")?;
        shared("cases/wasm")?;
        let home = std::env::var_os("ZIG_CC_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/zig-cc")))?;
        if !home.join("zigcc").exists() {
            println!("skipped: there is no C compiler; {} setup fetches one", compiler.display());
            return None;
        }
        Some(Self { compiler, engine: engine() })
    }

    fn build(&self, name: &str) -> Vec<u8> {
        let source = shared(&format!("cases/wasm/{name}.c")).expect("looked for before");
        let module = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("case-{name}.wasm"));
        let built = Command::new("bash")
            .arg(&self.compiler)
            .args(["cc", "-O1"])
            .arg(source)
            .arg("-o")
            .arg(&module)
            .output()
            .unwrap();
        assert!(built.status.success(), "{name}: {}", String::from_utf8_lossy(&built.stderr));
        std::fs::read(module).unwrap()
    }

    fn run(&self, name: &str, args: &[&str], input: &[u8]) -> Run {
        self.run_in(name, args, input, LIMITS)
    }

    fn run_in(&self, name: &str, args: &[&str], input: &[u8], limits: Limits) -> Run {
        let module = self.build(name);
        run(&self.engine, &Job { args, input, ..Job::new(&module, Abi::Wasi, limits) })
    }

    /// The same as in the reference engine, with one file.
    fn check(&self, name: &str, args: &[&str], input: &[u8]) {
        let module = self.build(name);
        let files: [(&str, &[u8]); 1] = [("a.txt", b"hello")];
        let env = ["SHARD=7", "EMPTY="];
        let job =
            Job { args, input, files: &files, env: &env, ..Job::new(&module, Abi::Wasi, LIMITS) };
        let (here, there) = (run(&self.engine, &job), reference::run(&job));
        assert_eq!(here.status, there.status, "{name}");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(text(&here.stdout), text(&there.stdout), "{name}");
        assert_eq!(here.stderr, there.stderr, "{name}");
    }
}

#[test]
fn c_programs_are_as_in_the_reference_engine() {
    let Some(programs) = Programs::find() else { return };
    let long: Vec<u8> = (0..300_000u32).map(|n| n as u8).collect();
    programs.check("show", &["a", "b c", "", "ü"], b"");
    programs.check("badutf", &[], b"");
    programs.check("mix", &[], b"");
    programs.check("cat", &[], &long);
    programs.check("count", &[], &long);
    programs.check("rand", &["1"], b"");
    programs.check("floats", &[], b"");
    programs.check("deep", &["1000"], b"");
    programs.check("spew", &["1000", "10"], b"");
    programs.check("grow", &["4"], b"");
    programs.check("files", &[], b"");
}

#[test]
fn c_programs_end_at_their_limits_by_name() {
    let Some(programs) = Programs::find() else { return };
    assert_eq!(programs.run("exitn", &["256"], b"").status, Status::Exited(256));
    assert_eq!(programs.run("exitn", &["-1"], b"").status, Status::Exited(-1));
    let spun = programs.run("spin", &[], b"");
    assert_eq!((spun.status, spun.fuel), (Status::Trapped(Trap::OutOfFuel), LIMITS.fuel));
    assert_eq!(spun.stdout, b"before\n");
    let short = Limits { output_bytes: 1_000, ..LIMITS };
    let spewed = programs.run_in("spew", &["1001"], b"", short);
    assert_eq!(spewed.status, Status::Trapped(Trap::OutputTooLong));
    let grown = programs.run("grow", &["100"], b"");
    assert_eq!(grown.status, Status::Exited(0));
    assert!(String::from_utf8(grown.stdout).unwrap().contains("malloc said no"));
    let aborted = programs.run("abortgrow", &["100"], b"");
    assert_eq!(aborted.status, Status::Trapped(Trap::OutOfMemory));
    assert_eq!(aborted.stderr, b"out of memory\n");
    let deep = programs.run("deep", &["10000000"], b"").status;
    let is_bounded = matches!(deep, Status::Trapped(Trap::StackOverflow | Trap::Wasm));
    assert!(is_bounded, "{deep:?}");
}

#[test]
fn clocks_take_no_time_and_randomness_is_the_jobs() {
    let Some(programs) = Programs::find() else { return };
    let clocks = programs.run("clocks", &[], b"");
    let said = String::from_utf8(clocks.stdout).unwrap();
    assert_eq!(clocks.status, Status::Exited(0), "{said}");
    assert!(said.contains("slept 3600 s") && said.contains("usleep(0) came back"), "{said}");
    let module = programs.build("rand");
    let drawn = |seed: u8| {
        let job = Job { seed: types::Hash([seed; 32]), ..Job::new(&module, Abi::Wasi, LIMITS) };
        ended(&programs.engine, &job).map(|end| format!("{end:?}")).unwrap()
    };
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
}
