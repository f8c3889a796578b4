//! What users and other people's programs do to `meshx run`, and what it says to them.

use crate::support::User;
use std::{
    fs,
    io::Read as _,
    process::Stdio,
    time::{Duration, Instant},
};

/// Exits with the number that its first argument has, decimal, at most five digits; and leaves bytes on stderr that are no text.
const EXITS: &str = r#"(module
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\08\00\00\00\04\00\00\00a\ff\00z")
  (func (export "_start") (local $at i32) (local $n i32)
    (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 100)))
    (drop (call $args (i32.const 200) (i32.const 300)))
    (local.set $at (i32.load (i32.const 204)))
    (loop $more
      (if (i32.load8_u (local.get $at)) (then
        (local.set $n (i32.add (i32.mul (local.get $n) (i32.const 10)) (i32.sub (i32.load8_u (local.get $at)) (i32.const 48))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $more))))
    (call $exit (local.get $n))))"#;

const DIVIDES: &str = r#"(module (memory (export "memory") 1)
  (func $mean (param i32) (result i32) (i32.div_s (i32.const 1) (local.get 0)))
  (func (export "_start") (drop (call $mean (i32.const 0)))))"#;

const SPINS: &str =
    r#"(module (memory (export "memory") 1) (func (export "_start") (loop $more (br $more))))"#;

const NOTHING: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;

fn with_modules(user: &User) {
    for (name, text) in
        [("exits", EXITS), ("divides", DIVIDES), ("spins", SPINS), ("nothing", NOTHING)]
    {
        fs::write(user.path(&format!("{name}.wat")), text).unwrap();
    }
}

#[test]
fn jobs_say_how_they_ended() {
    let (_mesh, user, _) = User::on_a_quick_mesh();
    user.meshx(&["faucet"], b"").exits(0);
    with_modules(&user);

    // Six jobs of one wallet at once: none waits for another.
    std::thread::scope(|scope| {
        let user = &user;
        let run =
            |n: u8| move || user.meshx(&["run", "nothing.wat", "--", &n.to_string()], b"").exits(0);
        let jobs: Vec<_> = (0..6).map(|n| scope.spawn(run(n))).collect();
        jobs.into_iter().for_each(|job| drop(job.join().unwrap()));
    });

    // A failure is never 0, and stderr is as written; what meshx says begins a line of its own.
    for (typed, code) in [("256", 1), ("7", 7), ("0", 0)] {
        let mut command = user.command(&["run", "exits.wat", "--", typed]);
        let output = command.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        let whole = output.stderr.windows(5).any(|five| five == b"a\xff\0z\n");
        assert!(whole && said.contains("\nprice "), "{said}");
    }

    // A trap says what happened and where, a limit says what to raise, at once and later.
    let trapped = user.meshx(&["run", "--output", "json", "divides.wat"], b"").exits(134).json();
    assert!(trapped["fuel"].as_u64().unwrap() < 10_000, "up to the trap: {trapped}");
    let said = user.meshx(&["run", "divides.wat"], b"").exits(134);
    for word in ["integer divide by zero", "function 0 (`mean`)"] {
        assert!(said.stderr.contains(word), "{}", said.stderr);
        let why = user.meshx(&["why", trapped["job"].as_str().unwrap()], b"").exits(0);
        assert!(why.text().contains(word), "{}", why.text());
    }
    let spun = user.meshx(&["run", "--fuel", "100000", "spins.wat"], b"").exits(134);
    assert!(spun.stderr.contains("raise --fuel"), "{}", spun.stderr);
}

#[test]
fn what_no_program_could_make_sense_of_is_refused_before_anything_is_paid() {
    let user = User::new();
    with_modules(&user);
    fs::write(user.path("empty"), b"").unwrap();
    let refused = |words: &[&str], what: &str| {
        for command in ["run", "quote"] {
            let all = [&[command], words, &["nothing.wat"]].concat();
            let said = user.meshx(&all, b"").exits(125);
            assert!(said.stderr.contains(what), "{words:?}: {}", said.stderr);
        }
    };
    refused(&["--env", "NOEQ"], "has no `=`");
    refused(&["--env", "=x"], "has no name");
    refused(&["--env", "A=1", "--env", "A=2"], "same name again");
    refused(&["--file", "../x=empty"], "../x");
    refused(&["--file", "/x=empty"], "begins with a slash");
    refused(&["--file", "x/=empty"], "ends with a slash");
    refused(&["--file", "x=empty", "--file", "x=empty"], "appears twice");
    refused(&["--file", "x=empty", "--file", "x/y=empty"], "at once");
    refused(&["--file", "x=nowhere"], "nowhere");
    let detached = ["run", "--detach", "--out", "later", "nothing.wat"];
    let said = user.meshx(&detached, b"").exits(125);
    assert!(said.stderr.contains("does not wait for files"), "{}", said.stderr);
    let none = user.meshx(&["run"], b"").exits(125);
    assert!(none.stderr.contains("Usage"), "{}", none.stderr);
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let mut command = user.command(&["run", "nothing.wat", "--"]);
        let odd = std::ffi::OsStr::from_bytes(b"\xff");
        let output = command.arg(odd).stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(125));
        assert!(String::from_utf8_lossy(&output.stderr).contains("UTF-8"));
    }
}

#[test]
fn an_input_that_stays_open_is_told_of() {
    let user = User::new();
    with_modules(&user);
    let mut command = user.command(&["quote", "nothing.wat"]);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    let start = Instant::now();
    std::thread::sleep(Duration::from_secs(5));
    drop(child.stdin.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    assert!(start.elapsed() >= Duration::from_secs(5));
    assert!(said.contains("waiting for the end of the job's input"), "{said}");
    assert!(said.contains("--no-input") && said.contains("< /dev/null"), "{said}");
}
