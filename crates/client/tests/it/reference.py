"""Run a WASI command in the engine that jobs are compared with: the Python package wasmtime.

usage: reference.py MODULE INPUT RESULT IN TMP OUT -- ARGS...
RESULT gets stdout, stderr and one line of JSON, as RESULT.out, RESULT.err and RESULT.json.
"""
import json, sys, time
import wasmtime

module, stdin, result, given, tmp, out = sys.argv[1:7]
config = wasmtime.Config()
config.wasm_exceptions = True
config.cranelift_opt_level = "speed"
engine = wasmtime.Engine(config)
start = time.time()
compiled = wasmtime.Module.from_file(engine, module)
compile_s = time.time() - start
linker = wasmtime.Linker(engine)
linker.define_wasi()
store = wasmtime.Store(engine)
wasi = wasmtime.WasiConfig()
wasi.argv = ["job", *sys.argv[8:]]
wasi.stdin_file = stdin
wasi.stdout_file = result + ".out"
wasi.stderr_file = result + ".err"
wasi.preopen_dir(given, "/in", False)
wasi.preopen_dir(tmp, "/tmp")
wasi.preopen_dir(out, "/out")
wasi.preopen_dir(given, ".", False)
store.set_wasi(wasi)
start, code = time.time(), 0
try:
    linker.instantiate(store, compiled).exports(store)["_start"](store)
except wasmtime.ExitTrap as error:
    code = error.code
except wasmtime.Trap as error:
    code = "trap: " + str(error).splitlines()[-1]
run_s = time.time() - start
with open(result + ".json", "w") as file:
    json.dump({"code": code, "compile_s": compile_s, "run_s": run_s}, file)
