//! A small language for programs that call WASI and print every answer.
//!
//! ```text
//! at 100 "text"            data at an address          u32 100 7 9      words there
//! fd_read 0 100 1 200      a call; its errno is printed as 4 bytes
//! show 200 8               print memory                 store 100 7      write a word at run time
//! ```

/// Every function of preview 1 and its parameters: `i` is 32 bits wide, `l` 64.
const FUNCTIONS: [(&str, &str); 45] = [
    ("args_get", "ii"),
    ("args_sizes_get", "ii"),
    ("clock_res_get", "ii"),
    ("clock_time_get", "ili"),
    ("environ_get", "ii"),
    ("environ_sizes_get", "ii"),
    ("fd_advise", "illi"),
    ("fd_allocate", "ill"),
    ("fd_close", "i"),
    ("fd_datasync", "i"),
    ("fd_fdstat_get", "ii"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_fdstat_set_rights", "ill"),
    ("fd_filestat_get", "ii"),
    ("fd_filestat_set_size", "il"),
    ("fd_filestat_set_times", "illi"),
    ("fd_pread", "iiili"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_prestat_get", "ii"),
    ("fd_pwrite", "iiili"),
    ("fd_read", "iiii"),
    ("fd_readdir", "iiili"),
    ("fd_renumber", "ii"),
    ("fd_seek", "ilii"),
    ("fd_sync", "i"),
    ("fd_tell", "ii"),
    ("fd_write", "iiii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_filestat_set_times", "iiiilli"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiillii"),
    ("path_readlink", "iiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("poll_oneoff", "iiii"),
    ("proc_raise", "i"),
    ("random_get", "ii"),
    ("sched_yield", ""),
    ("sock_accept", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_send", "iiiii"),
    ("sock_shutdown", "ii"),
];

/// The program in WebAssembly text: two pages of memory, the last kilobyte for its own use.
pub fn compile(script: &str) -> String {
    let (mut data, mut body) = (String::new(), String::new());
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let words: Vec<&str> = rest.split_whitespace().collect();
        match verb {
            "at" => {
                let (place, text) = rest.split_once(' ').unwrap();
                data += &format!("(data (i32.const {place}) {text})\n");
            }
            "u32" => {
                let bytes: String = words[1..]
                    .iter()
                    .flat_map(|word| word.parse::<u32>().unwrap().to_le_bytes())
                    .map(|byte| format!("\\{byte:02x}"))
                    .collect();
                data += &format!("(data (i32.const {}) \"{bytes}\")\n", words[0]);
            }
            "show" => {
                body +=
                    &format!("(call $print (i32.const {}) (i32.const {}))\n", words[0], words[1])
            }
            "store" => {
                body += &format!("(i32.store (i32.const {}) (i32.const {}))\n", words[0], words[1])
            }
            "exit" => body += &format!("(call $proc_exit (i32.const {}))\n", words[0]),
            _ => body += &call(verb, &words),
        }
    }
    let imports: String = FUNCTIONS
        .iter()
        .map(|(name, parameters)| {
            let parameters: String = parameters.chars().map(|p| if p == 'l' { " i64" } else { " i32" }).collect();
            format!("(import \"wasi_snapshot_preview1\" \"{name}\" (func ${name} (param{parameters}) (result i32)))\n")
        })
        .collect();
    format!(
        r#"(module
        {imports}
        (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
        (memory (export "memory") 2)
        {data}
        (func $print (param $at i32) (param $len i32)
          (i32.store (i32.const 130048) (local.get $at))
          (i32.store (i32.const 130052) (local.get $len))
          (drop (call $fd_write (i32.const 1) (i32.const 130048) (i32.const 1) (i32.const 130056))))
        (func $answer (param $errno i32)
          (i32.store (i32.const 130060) (local.get $errno))
          (call $print (i32.const 130060) (i32.const 4)))
        (func (export "_start") {body}))"#
    )
}

fn call(name: &str, words: &[&str]) -> String {
    let (_, parameters) =
        FUNCTIONS.iter().find(|(other, _)| *other == name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(parameters.len(), words.len(), "{name}");
    let arguments: String = parameters
        .chars()
        .zip(words)
        .map(|(p, word)| format!(" ({}.const {word})", if p == 'l' { "i64" } else { "i32" }))
        .collect();
    format!("(call $answer (call ${name}{arguments}))\n")
}
