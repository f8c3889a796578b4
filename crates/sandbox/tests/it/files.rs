//! The tree of files: private, bounded, paid for, and the same on every machine.

use crate::common::{LIMITS, check_alive, engine, module, run};
use crate::script;
use sandbox::{Engine, Job, Run};
use types::{Abi, Float, Fuel, Limits, Status, Trap};

const FILES: [(&str, &[u8]); 3] =
    [("data/train.csv", b"1,2,3"), ("readme", b"hello"), ("data/deep/er/x", b"!")];

fn check(script: &str, limits: Limits) -> Run {
    thread_local!(static ENGINE: Engine = engine());
    let module = module(&script::compile(script));
    let job = Job { files: &FILES, ..Job::new(&module, Abi::Wasi, limits) };
    ENGINE.with(|engine| {
        let first = run(engine, &job);
        assert_eq!(first, run(engine, &job), "it repeats");
        let other = run(engine, &Job { float: Float::ArchClass, ..job });
        assert_eq!(first, other, "in both modes");
        first
    })
}

/// What the script's `show`s printed, without the answers of its calls (zeros).
fn shown(script: &str) -> String {
    let run = check(script, LIMITS);
    assert_eq!(run.status, Status::Exited(0), "{run:?}");
    run.stdout.iter().filter(|byte| **byte != 0).map(|byte| *byte as char).collect()
}

#[test]
fn a_job_finds_its_files_in_their_folders() {
    let read = |fd: u32, path: &str| {
        shown(&format!(
            "at 100 \"{path}\"\nu32 0 1000 20\npath_open {fd} 0 100 {} 0 2 0 0 16\nfd_read 8 0 1 16\nshow 1000 20",
            path.len()
        ))
    };
    assert_eq!(read(3, "data/train.csv"), "1,2,3", "from /in");
    assert_eq!(read(7, "readme"), "hello", "from the current directory");
    assert_eq!(read(6, "in/data/deep/er/x"), "!", "from the root");
    assert_eq!(read(3, "data/./deep/../train.csv"), "1,2,3");
}

#[test]
fn folders_list_what_is_in_them_by_name() {
    let list = |path: &str| {
        let len = path.len();
        let listing = shown(&format!(
            "at 100 \"{path}\"\npath_open 3 0 100 {len} 2 2 0 0 16\nfd_readdir 8 2000 400 2 16\nshow 2000 200"
        ));
        listing.chars().filter(|c| c.is_ascii_alphabetic() || *c == '.').collect::<String>()
    };
    assert_eq!(list("."), "datareadme");
    assert_eq!(list("data"), "deeptrain.csv");
}

const GROW: &str = "at 100 \"big\"\npath_open 4 0 100 3 1 66 0 0 16\n";

#[test]
fn files_count_as_memory_and_are_paid_for() {
    let with = |size: u64, limits| check(&format!("{GROW}fd_filestat_set_size 8 {size}"), limits);
    let (small, large) = (with(1, LIMITS), with(8 << 20, LIMITS));
    assert_eq!(large.memory_bytes - small.memory_bytes, (8 << 20) - 4_096);
    assert_eq!(large.fuel.get() - small.fuel.get(), (8 << 20) - 4_096);
    let too_large = with(16 << 20, LIMITS);
    assert_eq!(too_large.stdout[4..], 51u32.to_le_bytes(), "no space is left");
    assert_eq!(too_large.memory_bytes, small.memory_bytes - 4_096);
    let little = Limits { fuel: Fuel::new(1 << 20), ..LIMITS };
    assert_eq!(with(8 << 20, little).status, Status::Trapped(Trap::OutOfFuel));
    with(u64::MAX, LIMITS);
    with(i64::MAX as u64, LIMITS);
}

#[test]
fn what_is_removed_is_given_back() {
    let script = "at 100 \"big\"\npath_open 4 0 100 3 1 66 0 0 16\nfd_filestat_set_size 8 8388608
        path_unlink_file 4 100 3\nfd_close 8\n"
        .repeat(5);
    let run = check(&script, LIMITS);
    assert!(run.stdout.iter().all(|byte| *byte == 0), "each fits again");
    assert!(run.memory_bytes < 9 << 20);
}

#[test]
fn a_flood_of_files_ends_at_the_limit() {
    let text = r#"(module
        (import "wasi_snapshot_preview1" "path_create_directory" (func $make (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start") (local $n i32) (local $errno i32)
          (loop $more
            (i32.store (i32.const 0) (i32.or (i32.const 0x61616161) (i32.and (local.get $n) (i32.const 0x0f0f0f0f))))
            (i32.store (i32.const 4) (i32.or (i32.const 0x61616161) (i32.and (i32.shr_u (local.get $n) (i32.const 4)) (i32.const 0x0f0f0f0f))))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (local.set $errno (call $make (i32.const 4) (i32.const 0) (i32.const 8)))
            (br_if $more (i32.or (i32.eqz (local.get $errno)) (i32.eq (local.get $errno) (i32.const 20)))))
          (call $exit (local.get $errno))))"#;
    let engine = engine();
    let module = module(text);
    let limits = Limits { memory_bytes: 1 << 20, ..LIMITS };
    let run = run(&engine, &Job::new(&module, Abi::Wasi, limits));
    assert_eq!(run.status, Status::Exited(51), "no space is left");
    assert!(run.memory_bytes <= limits.memory_bytes && run.memory_bytes > (1 << 20) - 1_000);
    check_alive(&engine);
}

#[test]
fn an_open_folder_outlives_its_name() {
    let script = "at 100 \"a\"\nat 110 \"a/b\"\nat 120 \"x\"\npath_create_directory 4 100 1
        path_create_directory 4 110 3\npath_open 4 0 110 3 2 2 0 0 16\npath_remove_directory 4 110 3
        path_remove_directory 4 100 1\nfd_readdir 8 2000 100 0 16\nshow 16 4\nfd_filestat_get 8 3000
        path_create_directory 8 120 1\npath_open 8 0 120 1 1 66 0 0 16\npath_rename 8 120 1 8 100 1
        fd_close 8";
    assert_eq!(check(script, LIMITS).status, Status::Exited(0));
}

#[test]
fn the_shape_of_the_tree_stays() {
    for name in ["in", "out", "tmp"] {
        let len = name.len();
        let script = format!(
            "at 100 \"{name}\"\nat 110 \"x\"\npath_remove_directory 6 100 {len}\npath_rename 6 100 {len} 6 110 1"
        );
        let answers = check(&script, LIMITS).stdout;
        assert!(answers.chunks(4).all(|errno| errno != [0; 4]), "{name}: {answers:?}");
    }
}

/// Open `name` in the folder of descriptor `fd` for writing; it becomes descriptor 8.
fn create(fd: u32, name: &str) -> String {
    format!("at 100 \"{name}\"\npath_open {fd} 0 100 {} 1 66 0 0 16\n", name.len())
}

fn left(run: &Run) -> Vec<(&str, &[u8])> {
    run.files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect()
}

#[test]
fn what_is_left_under_out_is_output() {
    let script = format!(
        "at 200 \"hello\"\nu32 300 200 5\nat 400 \"sub\"\npath_create_directory 5 400 3\n{}fd_write 8 300 1 16\nfd_close 8\n{}fd_write 8 300 1 16",
        create(5, "sub/a"),
        create(4, "gone").replace("100", "120"),
    );
    let run = check(&script, LIMITS);
    assert_eq!(left(&run), [("sub/a", &b"hello"[..])], "what is in /tmp is gone");
    let outcome = run.outcome();
    let files = outcome.status.files().unwrap();
    assert_eq!((outcome.status.code(), files.bytes), (Some(0), 5));
    let outputs = run.outputs();
    let list = types::OutputList::checked(&outputs[2], &files).unwrap();
    assert_eq!(list.files.as_slice()[0].path.as_str(), "sub/a");
    assert_eq!(&outputs[3][..], b"hello");
    let nothing = check("fd_close 8", LIMITS);
    assert_eq!((nothing.outcome().status, nothing.outputs().len()), (Status::Exited(0), 2));
}

#[test]
fn one_other_byte_in_a_file_is_another_result() {
    let outcome = |text: &str| {
        let script =
            format!("at 200 \"{text}\"\nu32 300 200 5\n{}fd_write 8 300 1 16", create(5, "a"));
        check(&script, LIMITS).outcome()
    };
    assert_eq!(outcome("hello"), outcome("hello"));
    let (one, other) = (outcome("hello"), outcome("hellp"));
    assert_eq!((one.fuel, one.stdout), (other.fuel, other.stdout));
    assert_ne!(one, other);
}

#[test]
fn links_and_empty_folders_are_no_output() {
    let script =
        "at 100 \"sub\"\nat 110 \"link\"\nat 120 \"in/readme\"\npath_create_directory 5 100 3
        path_symlink 120 9 5 110 4";
    assert_eq!(left(&check(script, LIMITS)), []);
}

#[test]
fn what_is_left_shares_the_limit_of_stdout() {
    let sized = |len: u64, output_bytes| {
        let script = format!("{}fd_filestat_set_size 8 {len}", create(5, "a"));
        check(&script, Limits { output_bytes, ..LIMITS })
    };
    let whole = sized(92, 100);
    assert_eq!((whole.stdout.len(), whole.files[0].1.len()), (8, 92));
    let past = sized(93, 100);
    assert_eq!(past.status, Status::Trapped(Trap::OutputTooLong));
    assert_eq!(left(&past), []);
    assert!(past.trap.unwrap().to_string().contains("/out"));
}

#[test]
fn files_under_out_are_bounded_in_number_and_name() {
    let many = |count: u32| {
        let text = format!(
            r#"(module
            (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
            (memory (export "memory") 1)
            (func (export "_start") (local $n i32)
              (loop $more
                (i32.store (i32.const 0) (i32.add (i32.const 0x61616161)
                  (i32.or (i32.and (local.get $n) (i32.const 15))
                          (i32.shl (i32.and (local.get $n) (i32.const 0xfff0)) (i32.const 4)))))
                (drop (call $open (i32.const 5) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 1) (i64.const 66) (i64.const 0) (i32.const 0) (i32.const 16)))
                (drop (call $close (i32.load (i32.const 16))))
                (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const {count}))))))"#
        );
        let module = module(&text);
        run(&engine(), &Job::new(&module, Abi::Wasi, LIMITS))
    };
    assert_eq!(many(256).files.len(), 256);
    assert_eq!(many(257).status, Status::Trapped(Trap::OutputTooLong));
    let deep = "d".repeat(120);
    let named = |len: usize| {
        let name = "n".repeat(len);
        let script = format!(
            "at 500 \"{deep}\"\nat 700 \"{deep}/{deep}\"\npath_create_directory 5 500 120\npath_create_directory 5 700 241\n{}",
            create(5, &format!("{deep}/{name}"))
        );
        check(&script, LIMITS)
    };
    assert_eq!(named(134).files[0].0.len(), 255);
    assert_eq!(named(135).status, Status::Trapped(Trap::OutputTooLong));
}

#[test]
fn a_trap_leaves_no_files() {
    let script = format!("{}fd_filestat_set_size 8 9000000", create(5, "a"));
    let with =
        |fuel| check(&script, Limits { fuel: Fuel::new(fuel), output_bytes: 16 << 20, ..LIMITS });
    assert_eq!(with(1 << 30).files.len(), 1);
    let trapped = with(1 << 20);
    assert_eq!((trapped.status, left(&trapped)), (Status::Trapped(Trap::OutOfFuel), vec![]));
}

#[test]
fn a_packed_folder_is_the_same_as_its_files() {
    let script = "at 100 \"data/train.csv\"\nu32 0 1000 20\npath_open 3 0 100 14 0 2 0 0 16\nfd_read 8 0 1 16\nshow 1000 20";
    let module = module(&script::compile(script));
    let engine = engine();
    let mut spec = types::JobSpec {
        module: types::Hash::ZERO,
        module_len: 1,
        abi: Abi::Wasi,
        float: Float::Strict,
        input: types::Hash::ZERO,
        input_len: 0,
        args: types::List::default(),
        env: types::List::default(),
        files: types::List::default(),
        limits: LIMITS,
        profile: sandbox::profile(Float::Strict),
        seed: types::Hash::ZERO,
        clock: types::Millis::ZERO,
    };
    let mut run_named = |names: &[&str], contents: &[&[u8]]| {
        let file = |name: &&str| types::InputFile {
            name: types::Text::new(*name).unwrap(),
            content: types::Hash::ZERO,
            len: 0,
        };
        spec.files = types::List::new(names.iter().map(file).collect()).unwrap();
        let bytes = sandbox::SpecBytes { module: &module, input: b"", files: contents };
        engine.run_spec(&spec, &bytes, &false.into())
    };
    let owned = |(path, bytes): &(&str, &[u8])| ((*path).to_owned(), bytes.to_vec());
    let all = types::folder::pack(FILES.iter().map(owned).collect()).unwrap();
    let data = types::folder::pack(vec![("train.csv".into(), b"1,2,3".to_vec())]).unwrap();
    let plain = run_named(&["data/train.csv"], &[b"1,2,3"]).unwrap();
    let sandbox::Ended::Done(run) = &plain else { panic!("{plain:?}") };
    assert!(run.stdout.windows(5).any(|five| five == b"1,2,3"));
    assert_eq!(run_named(&["./"], &[&all]).unwrap(), plain);
    assert_eq!(run_named(&["data/"], &[&data]).unwrap(), plain);
    for bad in [&["./", "readme"][..], &["../"], &["/"], &["data//"]] {
        let contents = vec![&all[..]; bad.len()];
        assert!(
            matches!(run_named(bad, &contents), Err(sandbox::Refused::BadFile { .. })),
            "{bad:?}"
        );
    }
    assert!(matches!(run_named(&["./"], &[b"no folder"]), Err(sandbox::Refused::BadFile { .. })));
}
