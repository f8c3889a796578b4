//! A job that is complete: what is asked for, and the bytes that it names.

use crate::units;
use sandbox::{Engine, Inspected, Refused};
use std::collections::BTreeSet;
use types::codec::Encode;
use types::{
    Agreement, Float, Hash, INPUT_FILES_MAX, InputFile, JobSpec, Limits, List, MODULE_BYTES_MAX,
    Millis, Submission, Text, domain_hash, folder,
};

/// What the clock of a job reads at its start unless asked otherwise: 2026-01-01T00:00:00Z. A fixed moment, so that equal
/// requests are equal jobs.
const CLOCK: Millis = Millis::new(1_767_225_600_000);

/// Longest name of a file below `/in`.
const FILE_NAME_BYTES_MAX: usize = 128;

/// What a packed folder is called that is all of `/in`.
const TREE: &str = "./";

/// A module that can run.
#[derive(Clone, Debug)]
pub struct Module {
    /// What errors call it.
    name: String,
    bytes: Vec<u8>,
    seen: Inspected,
}

/// What a job gets, beside its module.
#[derive(Clone, Debug)]
pub struct Resources {
    /// Its stdin.
    pub input: Vec<u8>,
    /// Read-only files below `/in`, by name.
    pub files: Vec<(String, Vec<u8>)>,
    /// A tree of files that becomes `/in`, together with `files`; [`crate::read_tree`] reads one.
    pub tree: Option<Vec<(String, Vec<u8>)>>,
    /// Command-line arguments, without the program's name.
    pub args: Vec<String>,
    /// Each `NAME=VALUE`.
    pub env: Vec<String>,
    /// What the job may use.
    pub limits: Limits,
    /// How many run it, and how many must say the same.
    pub agreement: Agreement,
}

/// A job that is complete.
#[derive(Clone, Debug)]
pub struct Request {
    /// What decides the job's result.
    pub spec: JobSpec,
    /// How many run it, and how many must say the same.
    pub agreement: Agreement,
    /// The module's bytes.
    pub module: Vec<u8>,
    /// Standard input.
    pub input: Vec<u8>,
    /// Files under `/in`, by name, and packed folders, whose names end with `/`.
    pub files: Vec<(String, Vec<u8>)>,
}

/// Why no network could run this.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum BadRequest {
    #[error("{name} cannot run")]
    CannotRun { name: String, source: Refused },
    #[error(
        "{name} needs {} of memory to start, but the limit is {}\nhint: raise --memory: {} will do",
        units::bytes((*needed).into()),
        units::bytes((*limit).into()),
        needed.div_ceil(1 << 20)
    )]
    Memory { name: String, needed: u64, limit: u64 },
    #[error("one of the {what} is longer than {} bytes: {text:?}…", units::grouped(*max as u64))]
    TooLong { what: &'static str, text: String, max: usize },
    #[error("a job has at most {max} {what}")]
    TooMany { what: &'static str, max: usize },
    #[error("the file name {0:?} is longer than {FILE_NAME_BYTES_MAX} bytes, or ends with a slash")]
    FileName(String),
    #[error("one of the {what} holds a zero byte, which no program could read: {text:?}")]
    ZeroByte { what: &'static str, text: String },
    #[error("the files of the job's folder cannot be packed")]
    Folder(#[from] folder::BadFolder),
    #[error(
        "{what} has {}, more than the {} that one piece of a job may have\nhint: give large data as several files",
        units::bytes(*bytes as u128),
        units::bytes(MODULE_BYTES_MAX.into())
    )]
    TooLarge { what: String, bytes: usize },
    #[error("--env {text:?} {problem}\nhint: --env NAME=VALUE, each name once")]
    Env { text: String, problem: &'static str },
}

/// Fuel, floats or the sandbox's functions were others when the job ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the job ran under another execution profile than this program's\nhint: use the version of meshx that made the receipt"
)]
pub struct OtherProfile;

impl Module {
    /// Read a module, which may be text (`.wat`), and refuse what can never run.
    ///
    /// # Errors
    /// [`BadRequest::CannotRun`].
    pub fn read(engine: &Engine, name: &str, text: &[u8]) -> Result<Self, BadRequest> {
        let refused = |source| BadRequest::CannotRun { name: name.to_owned(), source };
        let bytes = sandbox::binary_of(text).map_err(refused)?.into_owned();
        let seen = engine.inspect(&bytes).map_err(refused)?;
        Ok(Self { name: name.to_owned(), bytes, seen })
    }

    /// In binary form, by whose hash chains know it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Default for Resources {
    /// Usual limits, four workers, three of which must agree, and nothing to read.
    fn default() -> Self {
        let limits = Limits {
            fuel: types::Fuel::new(10_000_000_000),
            memory_bytes: 256 << 20,
            output_bytes: 16 << 20,
            wall: Millis::new(60_000),
        };
        let agreement = Agreement { replicas: 4, agree: 3 };
        let (input, files, args, env) = (vec![], vec![], vec![], vec![]);
        Self { input, files, tree: None, args, env, limits, agreement }
    }
}

impl Request {
    /// The job that runs `module` with `resources`. Equal arguments make equal jobs: the seed of its randomness follows from
    /// all that the program can see, which is module, input, arguments, environment and files.
    ///
    /// # Errors
    /// [`BadRequest`] if it could not run within its limits, or something is longer than a job may carry.
    pub fn new(module: Module, resources: Resources) -> Result<Self, BadRequest> {
        let Module { name, bytes: module, seen } = module;
        let Resources { input, mut files, tree, args, env, limits, agreement } = resources;
        if seen.memory_bytes_min > limits.memory_bytes {
            let (needed, limit) = (seen.memory_bytes_min, limits.memory_bytes);
            return Err(BadRequest::Memory { name, needed, limit });
        }
        if let Some((named, _)) = files.iter().find(|(named, _)| named.ends_with('/')) {
            return Err(BadRequest::FileName(named.clone()));
        }
        if let Some(tree) = tree {
            files.push((TREE.to_owned(), folder::pack(tree)?));
        }
        sandbox::unpack(files.iter().map(|(file, bytes)| (file.as_str(), bytes.as_slice())))
            .map_err(|source| BadRequest::CannotRun { name, source })?;
        let large = |(_, bytes): &(&str, &Vec<u8>)| bytes.len() as u64 > MODULE_BYTES_MAX;
        let blobs = files.iter().map(|(file, bytes)| (file.as_str(), bytes));
        if let Some((what, bytes)) = blobs.chain([("its input", &input)]).find(large) {
            return Err(BadRequest::TooLarge { what: what.to_owned(), bytes: bytes.len() });
        }
        check_env(&env)?;
        let (module_hash, input_hash) = (Hash::of_content(&module), Hash::of_content(&input));
        let named = |(name, bytes): &(String, Vec<u8>)| {
            let (content, len) = (Hash::of_content(bytes), bytes.len() as u64);
            let text = Text::new(name.clone()).map_err(|_| BadRequest::FileName(name.clone()))?;
            Ok(InputFile { name: text, content, len })
        };
        let listed = files.iter().map(named).collect::<Result<_, BadRequest>>()?;
        let files_listed: List<InputFile, INPUT_FILES_MAX> = List::new(listed)
            .map_err(|_| BadRequest::TooMany { what: "files", max: INPUT_FILES_MAX })?;
        let (args, env) = (list(&args, "arguments")?, list(&env, "environment variables")?);
        let seed = domain_hash(
            "meshx/job-seed/v2",
            &[&module_hash.0, &input_hash.0, &args.encode(), &env.encode(), &files_listed.encode()],
        );
        let spec = JobSpec {
            module: module_hash,
            module_len: module.len() as u64,
            abi: seen.abi,
            float: Float::Strict,
            input: input_hash,
            input_len: input.len() as u64,
            args,
            env,
            files: files_listed,
            limits,
            profile: sandbox::profile(Float::Strict),
            seed,
            clock: CLOCK,
        };
        Ok(Self { spec, agreement, module, input, files })
    }

    /// The job of a receipt, complete again. `content` finds bytes by what they are, "module", "input" or "file", and by their
    /// hash.
    ///
    /// # Errors
    /// [`OtherProfile`], or the error of `content`.
    pub fn again<E: From<OtherProfile>>(
        submission: &Submission,
        content: impl Fn(&'static str, Hash) -> Result<Vec<u8>, E>,
    ) -> Result<Self, E> {
        let (spec, agreement) = (submission.spec.clone(), submission.agreement);
        if spec.profile != sandbox::profile(spec.float) {
            return Err(OtherProfile.into());
        }
        let module = content("module", spec.module)?;
        let input = content("input", spec.input)?;
        let file = |file: &InputFile| Ok((file.name.to_string(), content("file", file.content)?));
        let files = spec.files.iter().map(file).collect::<Result<_, E>>()?;
        Ok(Self { spec, agreement, module, input, files })
    }

    /// Everything that workers must be able to fetch.
    pub fn blobs(&self) -> impl Iterator<Item = &[u8]> {
        let files = self.files.iter().map(|(_, bytes)| bytes.as_slice());
        [self.module.as_slice(), &self.input].into_iter().chain(files)
    }
}

/// Each variable has a name, and no name is there twice: a program would see one of them or the other.
fn check_env(env: &[String]) -> Result<(), BadRequest> {
    let mut names = BTreeSet::new();
    for text in env {
        let bad = |problem| Err(BadRequest::Env { text: text.clone(), problem });
        match text.split_once('=') {
            None => return bad("has no `=` and no value"),
            Some(("", _)) => return bad("has no name before the `=`"),
            Some((name, _)) if !names.insert(name) => return bad("sets the same name again"),
            Some(_) => {}
        }
    }
    Ok(())
}

fn list<const LEN: usize, const MAX: usize>(
    texts: &[String],
    what: &'static str,
) -> Result<List<Text<LEN>, MAX>, BadRequest> {
    if let Some(text) = texts.iter().find(|text| text.contains('\0')) {
        return Err(BadRequest::ZeroByte { what, text: text.chars().take(80).collect() });
    }
    let short = |text: &String| {
        let begins = || text.chars().take(40).collect();
        Text::new(text.clone()).map_err(|_| BadRequest::TooLong { what, text: begins(), max: LEN })
    };
    let texts = texts.iter().map(short).collect::<Result<_, _>>()?;
    List::new(texts).map_err(|_| BadRequest::TooMany { what, max: MAX })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine;

    const TEXT: &[u8] = b"(module (memory (export \"memory\") 2) (func (export \"_start\")))";

    fn request(change: impl FnOnce(&mut Resources)) -> Result<Request, BadRequest> {
        let module = Module::read(&engine().unwrap(), "m.wat", TEXT)?;
        let mut resources = Resources::default();
        change(&mut resources);
        Request::new(module, resources)
    }

    #[test]
    fn equal_requests_are_equal_jobs_and_others_are_not() {
        let one = request(|_| {}).unwrap();
        assert_eq!(one.spec, request(|_| {}).unwrap().spec);
        let other = request(|resources| resources.input = b"x".to_vec()).unwrap();
        assert_ne!(one.spec.seed, other.spec.seed);
        assert_eq!(other.blobs().nth(1), Some(&b"x"[..]));
    }

    #[test]
    fn randomness_follows_from_all_that_the_program_can_see() {
        let seed = |change: fn(&mut Resources)| request(change).unwrap().spec.seed;
        let mut seeds = vec![
            seed(|_| {}),
            seed(|resources| resources.input = b"x".to_vec()),
            seed(|resources| resources.args = vec!["1".into()]),
            seed(|resources| resources.args = vec!["2".into()]),
            seed(|resources| resources.args = vec!["1".into(), "2".into()]),
            seed(|resources| resources.env = vec!["SHARD=7".into()]),
            seed(|resources| resources.files = vec![("a".into(), b"1".to_vec())]),
            seed(|resources| resources.files = vec![("a".into(), b"2".to_vec())]),
            seed(|resources| resources.files = vec![("b".into(), b"2".to_vec())]),
        ];
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 9);
        let more_fuel = seed(|resources| resources.limits.fuel = types::Fuel::new(1 << 40));
        assert_eq!(more_fuel, seed(|_| {}), "what it may use is nothing it can see");
    }

    #[test]
    fn a_job_of_another_profile_is_not_run_again() {
        use types::{Height, NanoMeshx};
        let made = request(|_| {}).unwrap();
        let submission = |spec: JobSpec| Submission {
            spec,
            agreement: made.agreement,
            price_max: NanoMeshx::ZERO,
            deadline: Height::new(1),
            fresh: false,
        };
        let content = |what: &str, _| -> Result<Vec<u8>, OtherProfile> {
            Ok(if what == "module" { made.module.clone() } else { made.input.clone() })
        };
        let again = Request::again(&submission(made.spec.clone()), content).unwrap();
        assert_eq!(again.spec, made.spec);
        let mut other = made.spec.clone();
        other.profile = sandbox::profile(Float::ArchClass);
        let refused = Request::again(&submission(other), content).unwrap_err();
        assert!(refused.to_string().contains("hint: use the version of meshx that made"));
    }

    #[test]
    fn a_zero_byte_is_refused_by_name() {
        let refused = request(|resources| resources.args = vec!["a\0b".into()]).unwrap_err();
        assert!(matches!(refused, BadRequest::ZeroByte { what: "arguments", .. }), "{refused}");
        let long = format!("NAME={}", "x".repeat(5_000));
        let refused = request(|resources| resources.env = vec![long]).unwrap_err().to_string();
        assert!(refused.contains("longer than 4,096 bytes: \"NAME=xxx"), "{refused}");
        let many = vec!["x".to_owned(); 65];
        let refused = request(|resources| resources.args = many).unwrap_err().to_string();
        assert_eq!(refused, "a job has at most 64 arguments");
    }

    #[test]
    fn a_tree_is_one_blob_and_its_names_clash_with_no_others() {
        let file = |path: &str| (path.to_owned(), b"1".to_vec());
        let with = |tree: Vec<_>, files: Vec<_>| {
            request(|resources| (resources.tree, resources.files) = (Some(tree), files))
        };
        let both = with(vec![file("a/b"), file("c")], vec![file("d")]).unwrap();
        let names: Vec<&str> = both.spec.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!((names, both.blobs().count()), (vec!["d", "./"], 4));
        let clash = with(vec![file("a/b")], vec![file("a/b")]).unwrap_err();
        assert!(matches!(clash, BadRequest::CannotRun { source: Refused::BadFile { .. }, .. }));
    }

    #[test]
    fn what_can_never_run_is_refused_before_anything_is_sent() {
        let engine = engine().unwrap();
        let refused = Module::read(&engine, "notes.txt", b"dear diary").unwrap_err();
        assert!(refused.to_string().starts_with("notes.txt cannot run"), "{refused}");
        let lost =
            request(|resources| resources.files = vec![("../a".into(), vec![])]).unwrap_err();
        assert!(matches!(lost, BadRequest::CannotRun { source: Refused::BadFile { .. }, .. }));
        for env in [vec!["NOEQ"], vec!["=x"], vec!["A=1", "B=2", "A=3"]] {
            let env = env.into_iter().map(str::to_owned).collect();
            let refused = request(|resources| resources.env = env).unwrap_err();
            assert!(matches!(refused, BadRequest::Env { .. }), "{refused}");
        }
        request(|resources| resources.env = vec!["A==".into(), "B=".into()]).unwrap();
        let packed = vec![("data/".to_owned(), folder::pack(vec![]).unwrap())];
        let refused = request(|resources| resources.files = packed).unwrap_err();
        assert!(matches!(refused, BadRequest::FileName(_)), "{refused}");
        let small = request(|resources| resources.limits.memory_bytes = 65_536).unwrap_err();
        assert!(matches!(small, BadRequest::Memory { needed: 131_072, limit: 65_536, .. }));
        let expected = "m.wat needs 128 KiB of memory to start, but the limit is 64 KiB\nhint: raise --memory: 1 will do";
        assert_eq!(small.to_string(), expected);
        request(|resources| resources.limits.memory_bytes = 131_072).unwrap();
    }
}
