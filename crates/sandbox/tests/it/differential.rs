//! Our WASI answers as wasmtime-wasi does: same bytes, same end, same fuel of the module's own.

use crate::common::{LIMITS, engine, module, run};
use crate::{reference, script};
use sandbox::{Engine, Job};
use types::{Abi, Fuel, Hash, Millis};

/// Run `script` here and there, and compare everything.
fn check(script: &str) {
    thread_local!(static ENGINE: Engine = engine());
    let module = module(&script::compile(script));
    let job = Job {
        input: b"first line\nsecond line\n",
        args: &["--flag", "käse"],
        env: &["HOME=/", "EMPTY="],
        files: &[("beta.txt", b"the second file"), ("alpha", b"0123456789"), ("empty", b"")],
        seed: Hash([42; 32]),
        clock: Millis::new(1_700_000_000_123),
        ..Job::new(&module, Abi::Wasi, LIMITS)
    };
    let ours = ENGINE.with(|engine| run(engine, &job));
    let own = Fuel::new(ours.fuel.get() - ours.fuel_host.get());
    let ours = reference::Result {
        status: ours.status,
        stdout: ours.stdout,
        stderr: ours.stderr,
        fuel: own,
    };
    assert_eq!(ours, reference::run(&job), "{script}");
}

/// Each line is a script of its own, after the common `opening`.
fn check_each(opening: &str, lines: &str) {
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        check(&format!("{opening}\n{}", line.replace("; ", "\n")));
    }
}

#[test]
fn arguments_and_environment() {
    check("args_sizes_get 0 4\nshow 0 8\nargs_get 16 64\nshow 16 100");
    check("environ_sizes_get 0 4\nshow 0 8\nenviron_get 16 64\nshow 16 100");
    check_each(
        "",
        "args_get 131068 64
         args_get 131072 64
         args_get 64 131070
         args_get 66 128
         args_sizes_get 1 8
         args_sizes_get 131072 8
         environ_get 0 -1
         environ_sizes_get 8 2",
    );
}

#[test]
fn reading_the_input() {
    check("u32 0 100 5\nfd_read 0 0 1 16\nshow 16 4\nfd_read 0 0 1 16\nshow 16 4\nshow 100 8");
    check("u32 0 100 0 200 7 300 9\nfd_read 0 0 3 16\nshow 16 4\nshow 100 250");
    check("u32 0 100 1000\nfd_read 0 0 1 16\nshow 16 4\nfd_read 0 0 1 16\nshow 16 4\nshow 100 40");
    check("u32 0 131000 1000\nfd_read 0 0 1 16\nshow 16 4");
    check("u32 0 131070 2\nfd_read 0 0 1 16\nshow 131070 2");
    check_each(
        "u32 0 100 5",
        "fd_read 1 0 1 16
         fd_read 3 0 1 16
         fd_read 9 0 1 16
         fd_read 0 2 1 16
         fd_read 0 -8 9 16
         fd_read 0 0 -1 16
         fd_read 0 0 1 131072
         fd_read 0 0 1 17
         fd_pread 0 0 1 0 16
         fd_pread 1 0 1 0 16
         fd_pread 3 0 1 0 16
         fd_seek 0 0 0 16
         fd_tell 0 16
         fd_close 0; fd_read 0 0 1 16; fd_close 0",
    );
}

#[test]
fn writing_the_output() {
    check(
        "at 100 \"hello world\"\nu32 0 100 0 100 5 106 5\nfd_write 1 0 3 16\nshow 16 4\nfd_write 2 0 3 16\nshow 16 4",
    );
    check("u32 0 100 0\nfd_write 1 0 1 16\nshow 16 4\nfd_write 1 0 0 16\nshow 16 4");
    check("u32 0 0 100000\nfd_write 1 0 1 16\nshow 16 4");
    check_each(
        "u32 0 100 5",
        "fd_write 0 0 1 16
         fd_write 3 0 1 16
         fd_write 9 0 1 16
         fd_write 1 131072 1 16
         fd_write 1 131064 1 16
         fd_write 1 1 1 16
         fd_write 1 0 1 131072
         fd_write 1 0 1 18
         fd_pwrite 1 0 1 0 16
         fd_pwrite 0 0 1 0 16
         fd_pwrite 3 0 1 0 16
         fd_close 2; fd_write 2 0 1 16
         fd_renumber 1 2; fd_write 2 0 1 16; fd_close 0
         fd_renumber 1 9
         fd_renumber 9 1
         fd_renumber 1 1
         store 4 131072; fd_write 1 0 1 16
         store 4 -1; fd_write 1 0 1 16",
    );
}

#[test]
fn describing_descriptors() {
    for fd in 0..10 {
        check(&format!("fd_fdstat_get {fd} 64\nshow 64 24"));
        check(&format!("fd_prestat_get {fd} 64\nshow 64 8"));
        check(&format!("fd_prestat_dir_name {fd} 64 3\nshow 64 8"));
    }
    for fd in [0, 1, 2, 3, 7, 8, 9] {
        check(&format!("fd_fdstat_set_flags {fd} 4\nfd_fdstat_set_rights {fd} 0 0"));
        check(&format!(
            "fd_advise {fd} 0 0 1\nfd_allocate {fd} 0 9\nfd_sync {fd}\nfd_datasync {fd}"
        ));
        check(&format!("fd_filestat_set_size {fd} 9\nfd_filestat_set_times {fd} 1 1 5"));
    }
    for fd in [0, 1, 2] {
        check(&format!("fd_filestat_get {fd} 64\nshow 64 64"));
    }
    check_each(
        "",
        "fd_prestat_dir_name 3 64 2
         fd_prestat_dir_name 3 64 100; show 64 8
         fd_prestat_dir_name 3 131070 100
         fd_prestat_get 3 131068
         fd_prestat_get 3 66
         fd_fdstat_get 1 131064
         fd_fdstat_get 1 68
         fd_fdstat_set_flags 1 64
         fd_fdstat_set_rights 3 -1 0
         fd_filestat_get 1 131060
         fd_filestat_set_times 3 0 0 3
         fd_filestat_set_times 3 0 0 16
         fd_advise 3 0 0 9",
    );
}

const OPEN: &str = "at 100 \"alpha\"\nat 110 \"beta.txt\"\nat 120 \"missing\"\nat 130 \"empty\"\nat 140 \"./alpha\"
    at 150 \"../alpha\"\nat 160 \"/alpha\"\nat 170 \"alpha/\"\nat 180 \"alpha/..\"\nat 190 \".\"\nat 200 \"\\ff\\fe\"\nat 210 \"alpha/x\"
    at 220 \"a\\00b\"\nat 230 \"..\"\nat 240 \"./././/alpha\"\nat 255 \"./\"\nu32 0 1000 4\n";

#[test]
fn opening_files() {
    check_each(
        OPEN,
        "path_open 3 0 100 5 0 2 0 0 16; show 16 4; fd_fdstat_get 8 64; show 64 24; fd_read 8 0 1 16; show 16 4; show 1000 8
         path_open 3 1 110 8 0 2 0 0 16; fd_read 8 0 1 16; fd_read 8 0 1 16; fd_tell 8 16; show 16 8; show 1000 4
         path_open 3 0 130 5 0 2 0 0 16; fd_read 8 0 1 16; show 16 4
         path_open 3 0 120 7 0 2 0 0 16
         path_open 3 0 140 7 0 2 0 0 16; show 16 4
         path_open 3 0 240 12 0 2 0 0 16; show 16 4
         path_open 3 0 150 8 0 2 0 0 16
         path_open 3 0 160 6 0 2 0 0 16
         path_open 3 0 170 6 0 2 0 0 16
         path_open 3 0 180 8 0 2 0 0 16
         path_open 3 0 210 7 0 2 0 0 16
         path_open 3 0 220 3 0 2 0 0 16
         path_open 3 0 230 2 0 2 0 0 16
         path_open 3 0 200 2 0 2 0 0 16
         path_open 3 0 100 0 0 2 0 0 16
         path_open 3 0 190 1 0 2 0 0 16; show 16 4; fd_fdstat_get 8 64; show 64 24; fd_prestat_get 8 64; fd_prestat_dir_name 8 64 9
         path_open 3 0 255 2 0 2 0 0 16; show 16 4
         path_open 3 0 190 1 2 2 0 0 16; path_open 8 0 100 5 0 2 0 0 16; show 16 4
         path_open 3 0 100 5 2 2 0 0 16
         path_open 3 0 100 5 1 2 0 0 16
         path_open 3 0 100 5 4 2 0 0 16; show 16 4
         path_open 3 0 100 5 8 2 0 0 16
         path_open 3 0 100 5 3 2 0 0 16
         path_open 3 0 100 5 0 64 0 0 16
         path_open 3 0 120 7 0 64 0 0 16
         path_open 3 0 100 5 0 2 0 2 16
         path_open 3 0 100 5 0 2 0 5 16; fd_fdstat_get 8 64; show 64 24
         path_open 3 0 100 5 0 2 0 64 16
         path_open 3 2 100 5 0 2 0 0 16
         path_open 3 0 100 5 16 2 0 0 16
         path_open 0 0 100 5 0 2 0 0 16
         path_open 9 0 100 5 0 2 0 0 16
         path_open 3 0 100 5 0 2 0 0 16; path_open 8 0 100 5 0 2 0 0 16
         path_open 3 0 131070 5 0 2 0 0 16
         path_open 3 0 100 5 0 2 0 0 131070
         path_open 3 0 100 5 0 0 0 0 16; fd_read 8 0 1 16; show 16 4
         path_open 3 0 100 5 0 2 0 0 16; fd_close 8; path_open 3 0 110 8 0 2 0 0 16; show 16 4; fd_read 8 0 1 16; show 1000 4
         path_open 3 0 100 5 0 2 0 0 16; fd_renumber 8 0; fd_read 0 0 1 16; show 1000 4; fd_seek 0 1 0 16; show 16 8
         fd_close 0; fd_close 2; path_open 3 0 100 5 0 2 0 0 16; show 16 4; path_open 3 0 100 5 0 2 0 0 16; show 16 4; path_open 3 0 100 5 0 2 0 0 16; show 16 4
         fd_close 3; path_open 3 0 100 5 0 2 0 0 16",
    );
}

#[test]
fn writing_files() {
    let opening = format!("{OPEN} at 300 \"hello world\"\nu32 1100 300 11\nu32 1200 2000 40\n");
    check_each(
        &opening,
        "path_open 4 0 100 5 1 66 0 0 16; show 16 4; fd_write 8 1100 1 16; show 16 4; fd_tell 8 16; show 16 8; fd_seek 8 6 0 16; fd_read 8 1200 1 16; show 2000 10; fd_fdstat_get 8 64; show 64 24
         path_open 4 0 100 5 1 64 0 0 16; fd_write 8 1100 1 16; fd_seek 8 0 0 16; fd_read 8 1200 1 16; fd_pread 8 1200 1 0 16; fd_fdstat_get 8 64; show 64 24
         path_open 4 0 100 5 1 2 0 0 16; fd_write 8 1100 1 16; fd_fdstat_get 8 64; show 64 24
         path_open 4 0 100 5 0 66 0 0 16
         path_open 4 0 100 5 5 66 0 0 16; path_open 4 0 100 5 5 66 0 0 16
         path_open 4 0 100 5 1 66 0 0 16; fd_write 8 1100 1 16; path_open 4 0 100 5 8 66 0 0 16; fd_read 9 1200 1 16; show 16 4
         path_open 4 0 100 5 1 66 0 1 16; fd_write 8 1100 1 16; fd_write 8 1100 1 16; fd_pwrite 8 1100 1 0 16; fd_tell 8 16; show 16 8; fd_pread 8 1200 1 0 16; show 16 4; show 2000 40
         path_open 4 0 100 5 1 66 0 0 16; fd_pwrite 8 1100 1 5 16; fd_tell 8 16; show 16 8; fd_pread 8 1200 1 0 16; show 16 4; show 2000 20
         path_open 4 0 100 5 1 66 0 0 16; fd_filestat_set_size 8 5000; fd_pread 8 1200 1 4990 16; show 16 4; show 2000 20; fd_filestat_set_size 8 3; fd_pread 8 1200 1 0 16; show 16 4
         path_open 4 0 100 5 1 66 0 0 16; fd_seek 8 100 0 16; fd_write 8 1100 1 16; fd_pread 8 1200 1 90 16; show 16 4; show 2000 40
         path_open 4 0 100 5 1 66 0 0 16; fd_close 8; path_unlink_file 4 100 5; path_unlink_file 4 100 5; path_open 4 0 100 5 0 2 0 0 16
         path_open 4 0 100 5 1 66 0 0 16; path_unlink_file 4 100 5; fd_write 8 1100 1 16; fd_pread 8 1200 1 0 16; show 2000 20
         path_open 4 0 170 6 1 66 0 0 16
         path_open 4 0 210 7 1 66 0 0 16
         path_open 4 0 150 8 1 66 0 0 16
         path_open 4 0 190 1 0 64 0 0 16
         path_open 4 0 190 1 1 2 0 0 16
         path_open 3 0 100 5 0 64 0 0 16; fd_filestat_set_size 3 5; path_unlink_file 3 100 5; path_create_directory 3 120 7",
    );
}

#[test]
fn changing_folders() {
    check_each(
        OPEN,
        "path_create_directory 4 100 5; path_create_directory 4 100 5; path_open 4 0 210 7 1 66 0 0 16; path_remove_directory 4 100 5; path_unlink_file 4 210 7; path_remove_directory 4 100 5; path_remove_directory 4 100 5
         path_create_directory 4 170 6; path_unlink_file 4 100 5; path_remove_directory 4 100 5
         path_create_directory 4 150 8
         path_create_directory 4 190 1
         path_create_directory 4 100 0
         path_open 4 0 100 5 1 66 0 0 16; path_create_directory 4 100 5; path_remove_directory 4 100 5; path_create_directory 4 210 7
         path_open 4 0 100 5 1 66 0 0 16; path_rename 4 100 5 4 120 7; path_open 4 0 100 5 0 2 0 0 16; path_open 4 0 120 7 0 2 0 0 16; show 16 4
         path_open 4 0 100 5 1 66 0 0 16; path_rename 4 100 5 5 120 7; path_open 5 0 120 7 0 2 0 0 16; show 16 4
         path_create_directory 4 100 5; path_rename 4 100 5 4 210 7
         path_create_directory 4 100 5; path_open 4 0 120 7 1 66 0 0 16; path_rename 4 120 7 4 100 5; path_rename 4 100 5 4 120 7
         path_rename 4 100 5 4 120 7
         path_rename 4 150 8 4 120 7
         path_rename 3 100 5 4 120 7
         path_open 4 0 100 5 1 66 0 0 16; path_rename 4 100 5 3 120 7
         path_symlink 100 5 4 120 7; path_readlink 4 120 7 64 20 16; show 16 4; show 64 8; path_readlink 4 120 7 64 2 16; show 16 4; path_open 4 0 120 7 0 2 0 0 16; path_open 4 1 120 7 0 2 0 0 16
         path_symlink 160 6 4 120 7; path_symlink 100 5 4 120 7; path_symlink 100 5 4 120 7
         path_open 4 0 100 5 1 66 0 0 16; path_symlink 100 5 4 120 7; path_open 4 1 120 7 0 2 0 0 16; show 16 4; path_unlink_file 4 120 7; path_open 4 0 100 5 0 2 0 0 16; show 16 4
         path_open 4 0 100 5 1 66 0 0 16; path_link 4 0 100 5 4 120 7; path_unlink_file 4 100 5; path_open 4 0 120 7 0 2 0 0 16; show 16 4
         path_link 4 0 100 5 4 120 7
         path_link 4 1 100 5 4 120 7
         path_link 3 0 100 5 4 120 7
         path_readlink 4 100 5 64 20 16
         path_open 4 0 100 5 1 66 0 0 16; path_readlink 4 100 5 64 20 16
         path_remove_directory 4 190 1
         path_unlink_file 4 190 1",
    );
}

#[test]
fn seeking_and_describing_files() {
    let opening = format!("{OPEN} path_open 3 0 100 5 0 2 0 0 16");
    check_each(
        &opening,
        "fd_seek 8 3 0 16; show 16 8; fd_read 8 0 1 16; show 1000 4
         fd_seek 8 -3 2 16; show 16 8; fd_read 8 0 1 16; show 16 4; show 1000 4
         fd_seek 8 3 0 16; fd_seek 8 -1 1 16; show 16 8
         fd_seek 8 -1 0 16
         fd_seek 8 -11 2 16
         fd_seek 8 100 0 16; fd_read 8 0 1 16; show 16 4
         fd_seek 8 0 3 16
         fd_seek 8 9223372036854775807 1 16; show 16 8; fd_seek 8 9223372036854775807 1 16; show 16 8; fd_read 8 0 1 16
         fd_seek 8 0 0 20
         fd_seek 3 0 0 16
         fd_tell 3 16
         fd_pread 8 0 1 6 16; show 16 4; show 1000 4; fd_tell 8 16; show 16 8
         fd_pread 8 0 1 100 16; show 16 4
         fd_write 8 0 1 16
         fd_pwrite 8 0 1 0 16
         fd_filestat_get 8 64; show 80 1; show 88 16
         fd_filestat_get 3 64; show 80 1
         fd_filestat_set_size 8 3
         fd_filestat_set_times 8 0 0 1
         fd_fdstat_set_flags 8 1; fd_fdstat_get 8 64; show 64 24
         fd_fdstat_set_flags 8 2
         fd_fdstat_set_rights 8 0 0
         fd_advise 8 0 0 3
         fd_allocate 8 0 100
         fd_sync 8; fd_datasync 8
         fd_readdir 8 64 100 0 16
         path_filestat_get 8 0 100 5 64",
    );
}

#[test]
fn paths_that_change_nothing() {
    check_each(
        OPEN,
        "path_filestat_get 3 0 100 5 64; show 80 1; show 88 16
         path_filestat_get 3 1 190 1 64; show 80 1
         path_filestat_get 3 0 120 7 64
         path_filestat_get 3 0 150 8 64
         path_filestat_get 3 2 100 5 64
         path_filestat_get 0 0 100 5 64
         path_filestat_get 3 0 100 5 131020
         path_create_directory 3 120 7
         path_create_directory 0 120 7
         path_create_directory 3 200 2
         path_remove_directory 3 100 5
         path_unlink_file 3 100 5
         path_rename 3 100 5 3 120 7
         path_rename 3 100 5 0 120 7
         path_link 3 0 100 5 3 120 7
         path_link 3 2 100 5 3 120 7
         path_symlink 100 5 3 120 7
         path_symlink 100 5 0 120 7
         path_readlink 3 100 5 64 9 16
         path_readlink 3 120 7 64 9 16
         path_readlink 0 120 7 64 9 16
         path_filestat_set_times 3 0 100 5 0 0 5
         path_filestat_set_times 3 0 100 5 0 0 3",
    );
}

#[test]
fn listing_the_folder_has_room_for_every_name() {
    // Order and inode numbers are the host's there, so only lengths and errors are compared.
    check_each(
        "",
        "fd_readdir 3 64 1000 0 16; show 16 4
         fd_readdir 3 64 1000 2 16; show 16 4
         fd_readdir 3 64 1000 99 16; show 16 4
         fd_readdir 3 64 30 0 16; show 16 4; show 64 8; show 80 9
         fd_readdir 3 64 24 1 16; show 16 4; show 64 8; show 80 5
         fd_readdir 3 64 0 0 16; show 16 4
         fd_readdir 3 131060 100 0 16
         fd_readdir 0 64 100 0 16
         fd_readdir 9 64 100 0 16",
    );
}

#[test]
fn clocks_and_chance() {
    check_each(
        "",
        "clock_time_get 0 0 16; show 16 8; clock_time_get 1 0 16; show 16 8; clock_time_get 0 0 16; show 16 8
         clock_res_get 0 16; show 16 8; clock_res_get 1 16; show 16 8
         clock_time_get 2 0 16
         clock_time_get 3 0 16
         clock_time_get 4 0 16
         clock_time_get 0 0 12
         clock_time_get 0 0 131068
         clock_res_get 2 16
         clock_res_get 7 16
         random_get 64 100; random_get 164 3; show 64 103
         random_get 64 0
         random_get 131072 0
         random_get 131070 3
         random_get 131073 0",
    );
}

#[test]
fn waiting_for_events() {
    // Subscriptions at 0, 48 and 96; events from 200.
    let clock = "u32 0 7 0 0 0 1 0 1000 0 0 0 0 0\n";
    let stdin = "u32 48 8 0 1 0 0 0 0 0 0 0 0 0\n";
    let stdout = "u32 96 9 0 2 0 1 0 0 0 0 0 0 0\n";
    let all = format!("{clock}{stdin}{stdout}");
    check_each(
        &all,
        "poll_oneoff 0 200 1 16; show 16 4; show 200 32
         poll_oneoff 48 200 1 16; show 16 4; show 200 32
         poll_oneoff 96 200 1 16; show 16 4; show 200 32
         poll_oneoff 48 200 2 16; show 16 4; show 200 64
         poll_oneoff 0 200 0 16
         poll_oneoff 4 200 1 16
         poll_oneoff 0 204 1 16
         poll_oneoff 131040 200 1 16
         poll_oneoff 0 131060 1 16
         poll_oneoff 0 200 1 131072
         store 64 9; poll_oneoff 48 200 1 16
         store 64 1; poll_oneoff 48 200 1 16
         store 112 0; poll_oneoff 96 200 1 16
         store 56 3; poll_oneoff 48 200 1 16
         store 16 2; poll_oneoff 0 200 1 16
         store 16 9; poll_oneoff 0 200 1 16
         store 40 2; poll_oneoff 0 200 1 16",
    );
    let file = format!(
        "{OPEN} at 2000 \"empty\"\npath_open 3 0 100 5 0 2 0 0 16\npath_open 3 0 2000 5 0 2 0 0 16\n"
    );
    let events = "u32 400 7 0 1 0 8 0 0 0 0 0 0 0 8 0 1 0 9 0 0 0 0 0 0 0\n";
    check_each(
        &format!("{file}{events}"),
        "poll_oneoff 400 600 1 16; show 16 4; show 600 32
         poll_oneoff 448 600 1 16; show 16 4; show 600 32",
    );
}

#[test]
fn the_rest() {
    check_each(
        "",
        "sched_yield
         proc_raise 6
         proc_raise 99
         sock_accept 0 0 16
         sock_accept 9 0 16
         sock_recv 0 0 0 0 16 20
         sock_send 0 0 0 0 16
         sock_shutdown 0 1
         sock_shutdown 9 1
         exit 0
         exit 3
         exit 125",
    );
}
