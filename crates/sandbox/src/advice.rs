//! Advice: what was found instead of a module that runs, and what to try.

use crate::refused::Refused;

/// What bytes that are no module look like, and what to do about it.
pub(crate) fn not_wasm(bytes: &[u8]) -> Refused {
    let text = bytes.iter().take(256).all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace());
    let (looks, advice) = match bytes {
        [] => ("empty", "check that the build wrote the file"),
        [0, b'a', b's', b'm', _, 0, 1, 0, ..] => (
            "a WebAssembly component",
            "build a core module instead, for instance with target wasm32-wasip1 or `jco`'s and \
             `cargo component`'s core output",
        ),
        [0, b'a', b's', b'm', ..] => (
            "WebAssembly of an unknown version",
            "rebuild it; version 1 of the binary format is expected",
        ),
        [0x7f, b'E', b'L', b'F', ..] => {
            ("a native Linux program (ELF)", "compile for wasm32-wasip1 instead of this machine")
        }
        [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe, ..] => {
            ("a native macOS program", "compile for wasm32-wasip1 instead of this machine")
        }
        [b'M', b'Z', ..] => {
            ("a native Windows program", "compile for wasm32-wasip1 instead of this machine")
        }
        [0x1f, 0x8b, ..] => ("gzip data", "unpack it first"),
        [b'P', b'K', 3, 4, ..] => ("a zip archive", "unpack it first"),
        [b'!', b'<', b'a', b'r', b'c', b'h', b'>', ..] => {
            ("a static library", "link it into a program (a `bin` or `cdylib` crate)")
        }
        [b'#', b'!', ..] => {
            ("a script", "compile it, or run an interpreter built for WASI with it as input")
        }
        _ if text && is_wat(bytes) => {
            ("WebAssembly text", "convert it with `wat2wasm`, or give the .wat file to the CLI")
        }
        _ if text => ("text", "give the compiled .wasm file rather than its source"),
        _ => ("binary data of an unknown kind", "give a file that starts with \\0asm"),
    };
    Refused::NotWasm { looks, advice }
}

/// What to try when a validator said that `message`.
pub(crate) fn feature_advice(message: &str) -> &'static str {
    const ADVICE: [(&str, &str); 7] = [
        ("memory64", "build for 32-bit WebAssembly (wasm32)"),
        ("64-bit", "build for 32-bit WebAssembly (wasm32)"),
        ("component", "build a core module (target wasm32-wasip1)"),
        (
            "legacy",
            "it throws exceptions in the older form (try, catch, rethrow); build for the standard form (clang: -mllvm -wasm-use-legacy-eh=false; binaryen: wasm-opt --translate-to-exnref)",
        ),
        ("stack switching", "build without stack switching"),
        ("gc", "build without WebAssembly GC, with the language's own collector in linear memory"),
        ("reference", "build without garbage-collected references (externref, typed functions)"),
    ];
    let found = ADVICE.iter().find(|(word, _)| message.contains(word));
    found.map_or("build for the `generic` or `lime1` CPU", |(_, advice)| advice)
}

/// What to try when a module asks for `name` from `module` and it does not exist there.
pub(crate) fn import_advice(module: &str, name: &str, offered: &[&str]) -> String {
    match module {
        _ if emscripten(module, name) => {
            "it was built by Emscripten for a host in JavaScript; build with `emcc -sSTANDALONE_WASM`, or with \
             wasi-sdk"
                .into()
        }
        "wasi_unstable" => "rebuild with a WASI preview 1 toolchain (wasm32-wasip1)".into(),
        "gojs" | "go" => "build with GOOS=wasip1 instead of GOOS=js".into(),
        "wbg" | "__wbindgen_placeholder__" => {
            "it was built for the browser by wasm-bindgen; build for wasm32-wasip1".into()
        }
        _ if module.starts_with("wasi:") => "it was built for WASI preview 2; build for wasm32-wasip1".into(),
        _ if offered.is_empty() => {
            "link the missing library in; imports come from wasi_snapshot_preview1, meshx and env only".into()
        }
        _ => format!("{module} offers {}", offered.join(", ")),
    }
}

/// Whether Emscripten's JavaScript would have to answer this import. It shortens `env` to `a` and
/// names to one or two letters when it optimises.
fn emscripten(module: &str, name: &str) -> bool {
    const STARTS: [&str; 7] =
        ["emscripten_", "_emscripten_", "__syscall_", "invoke_", "_embind_", "__cxa_", "_emval_"];
    let short = |text: &str| (1..=2).contains(&text.len()) && text.is_ascii();
    (module == "a" && short(name))
        || (module == "env" && STARTS.iter().any(|start| name.starts_with(start)))
}

/// Whether `bytes` begin like WebAssembly text: a parenthesis or a comment.
pub(crate) fn is_wat(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    text.starts_with(b"(") || text.starts_with(b";;")
}
