//! Which value wins, and what is said about one that cannot be used.

mod mutated;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;

// No program has these names: the variables of whoever runs the tests must not reach them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SinkSettings {
    hosts: String,
    partitions: u32,
    pond: Option<String>,
    password: Option<Secret>,
    ca_file: Option<PathBuf>,
    ratio: f64,
    index: Index,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    shards: u32,
    replicas: u32,
}

impl Default for SinkSettings {
    fn default() -> Self {
        Self {
            hosts: "default:9092".into(),
            partitions: 6,
            pond: None,
            password: None,
            ca_file: None,
            ratio: 0.5,
            index: Index { shards: 1, replicas: 0 },
        }
    }
}

impl Settings for SinkSettings {
    const TABLE: &'static str = "sink";

    fn check(&self) -> Result<(), Invalid> {
        match self.partitions {
            0 => Err(Invalid::new("partitions", "must be at least 1")),
            _ => Ok(()),
        }
    }
}

#[derive(Debug, clap::Parser)]
struct Flags {
    #[command(flatten)]
    common: CommonFlags,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, clap::Args, Serialize)]
struct Options {
    #[arg(long)]
    hosts: Option<String>,
    #[arg(long)]
    partitions: Option<u32>,
    #[arg(long)]
    password_file: Option<PathBuf>,
    #[arg(long, default_value = "s3://default/of/clap")]
    pond: Option<String>,
}

/// A folder with a settings file, flags, and variables that are not those of this process.
struct Case {
    folder: TempDir,
    flags: Vec<String>,
    variables: Vec<(&'static str, String)>,
}

fn case(toml: &str) -> Case {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("settings.toml"), toml).unwrap();
    Case { folder, flags: Vec::new(), variables: Vec::new() }
}

impl Case {
    fn flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(|flag| (*flag).to_owned()));
        self
    }

    fn variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn tiers(&self) -> Result<Tiers, Exit> {
        let arguments = ["sink".to_owned()].into_iter().chain(self.flags.clone());
        let given = parse_from::<Flags>(arguments.map(OsString::from))?;
        let variable = |name: &str| {
            let found = self.variables.iter().find(|(of, _)| *of == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let config = self.path("settings.toml");
        let Flags { common, options } = &given.flags;
        given.tiers_with::<SinkSettings>(Some(&config), common, options, &variable)
    }

    fn load(&self) -> Result<Loaded<SinkSettings>, Exit> {
        loaded(&self.tiers()?)
    }

    fn settings(&self) -> SinkSettings {
        self.load().unwrap().settings
    }

    /// What is said, with the folder's name left out.
    fn refused(&self) -> String {
        let exit = self.load().map(|loaded| loaded.settings).unwrap_err();
        assert_eq!(exit.code(), Code::Config, "{exit}");
        exit.to_string().replace(&format!("{}/", self.folder.path().display()), "")
    }
}

#[test]
fn flags_win_over_variables_over_the_table_over_the_file_over_defaults() {
    let hosts = |case: Case| case.settings().hosts;
    let file = "hosts = 'file:1'\n[producer]\nhosts = 'other:1'";
    let table = "hosts = 'file:1'\n[sink]\nhosts = 'table:1'";
    assert_eq!(hosts(case("")), "default:9092");
    assert_eq!(hosts(case(file)), "file:1");
    assert_eq!(hosts(case(table)), "table:1");
    assert_eq!(hosts(case(table).variable("UFO_HOSTS", "variable:1")), "variable:1");
    let flag = case(table).variable("UFO_HOSTS", "variable:1").flags(&["--hosts", "flag:1"]);
    assert_eq!(hosts(flag), "flag:1");
}

#[test]
fn an_empty_variable_is_none() {
    assert_eq!(case("hosts = 'file:1'").variable("UFO_HOSTS", "").settings().hosts, "file:1");
}

#[test]
fn a_default_of_clap_does_not_hide_the_file() {
    assert_eq!(case("pond = 'here'").settings().pond.as_deref(), Some("here"));
}

#[test]
fn tables_in_tables_merge() {
    let Index { shards, replicas } = case("index.shards = 3\n[sink]\nindex.replicas = 2").settings().index;
    assert_eq!((shards, replicas), (3, 2));
}

#[test]
fn variables_without_a_flag_have_the_type_of_the_default() {
    let settings = case("").variable("UFO_RATIO", "0.25").variable("UFO_PASSWORD", "0123").settings();
    assert_eq!(settings.password.as_ref().map(Secret::reveal), Some("0123"));
    assert!((settings.ratio - 0.25).abs() < f64::EPSILON);
    let refused = case("").variable("UFO_RATIO", "half").refused();
    assert_eq!(refused, "error: `ratio` (UFO_RATIO) is string \"half\" and must be f64");
}

#[test]
fn the_process_has_settings_too() {
    let process =
        case("log = 'debug'\n[sink]\nlisten = '127.0.0.1:9100'").flags(&["--quiet"]).load().unwrap().process;
    assert!(process.quiet);
    assert_eq!(process.log.as_deref(), Some("debug"));
    assert_eq!(process.listen, Some(SocketAddr::from(([127, 0, 0, 1], 9100))));
    assert_eq!(process.shutdown_grace(), Duration::from_secs(25));
}

#[test]
fn a_secret_can_lie_in_a_file() {
    let with_file = |toml: &str| {
        let case = case(toml);
        fs::write(case.path("password"), "hush\n").unwrap();
        case
    };
    let password = |case: &Case| case.settings().password.map(|secret| secret.reveal().to_owned());
    let hush = Some("hush".to_owned());

    let by_variable = with_file("password = 'weaker'");
    let path = by_variable.path("password").display().to_string();
    let by_variable = by_variable.variable("UFO_PASSWORD_FILE", path);
    assert_eq!(password(&by_variable), hush);

    let by_file = with_file("");
    let path = by_file.path("password").display().to_string();
    fs::write(by_file.path("settings.toml"), format!("[sink]\npassword_file = '{path}'")).unwrap();
    assert_eq!(password(&by_file), hush);

    let by_flag = with_file("").variable("UFO_PASSWORD", "weaker");
    let path = by_flag.path("password").display().to_string();
    assert_eq!(password(&by_flag.flags(&["--password-file", &path])), hush);
}

#[test]
fn a_secret_given_twice_is_refused_and_a_missing_file_named() {
    let twice = case("password = 'a'\npassword_file = 'b'");
    assert_eq!(
        twice.refused(),
        "error: `password` and `password_file` (settings.toml) are both given: remove one"
    );
    let missing = case("").variable("UFO_PASSWORD_FILE", "/no/such/secret").refused();
    assert!(
        missing.contains("`password_file` (UFO_PASSWORD_FILE): cannot read /no/such/secret"),
        "{missing}"
    );
}

#[test]
fn a_path_of_its_own_is_no_secret() {
    assert_eq!(case("ca_file = '/etc/ca.pem'").settings().ca_file.as_deref(), Some(Path::new("/etc/ca.pem")));
}

#[test]
fn an_unknown_key_is_refused_with_its_place() {
    assert_eq!(
        case("[sink]\nparttions = 3").refused(),
        "error: `parttions` in settings.toml [sink] is no setting of `sink`: correct or remove it; `--print` shows the settings there are"
    );
    assert_eq!(
        case("rate = 3").refused(),
        "error: `rate` in settings.toml is no setting of `sink`: correct or remove it; what is of one program only stands in its table, as [sink]"
    );
    let dashed = case("[sink]\nlog-format = 'json'").refused();
    assert!(dashed.ends_with("it is written `log_format`"), "{dashed}");
    let in_a_table = case("index.shard = 3").refused();
    assert_eq!(
        in_a_table,
        "error: `index.shard` (settings.toml) is not known there; known: shards, replicas"
    );
}

#[test]
fn what_concerns_other_programs_is_passed_over() {
    let toml =
        "elasticsearch = 'http://127.0.0.1:9200'\ngeneration = 1\n[producer]\nrate = 5\n[processor]\nx = 1";
    assert_eq!(case(toml).settings().partitions, 6);
}

#[test]
fn a_bad_value_is_named_with_its_place() {
    assert_eq!(
        case("[sink]\npartitions = 'many'").refused(),
        "error: `partitions` (settings.toml [sink]) is string \"many\" and must be u32"
    );
    assert_eq!(
        case("partitions = -1").refused(),
        "error: `partitions` (settings.toml) is signed int `-1` and must be u32"
    );
    assert_eq!(
        case("log_format = 'loud'").refused(),
        "error: `log_format` (settings.toml) is `loud` and must be one of auto, text, json"
    );
    assert_eq!(
        case("sink = 3").refused().split(':').nth(1),
        Some(" `sink` in settings.toml [sink] is no setting of `sink`")
    );
}

#[test]
fn the_programs_own_check_names_the_place_too() {
    assert_eq!(
        case("").flags(&["--partitions", "0"]).refused(),
        "error: `partitions` (--partitions) must be at least 1"
    );
}

#[test]
fn a_bad_flag_is_told_by_clap() {
    let exit = case("").flags(&["--partitions", "many"]).load().map(|_| ()).unwrap_err();
    assert_eq!(exit.code(), Code::Usage);
    assert!(
        exit.to_string().starts_with("error: invalid value 'many' for '--partitions <PARTITIONS>'"),
        "{exit}"
    );
}

#[test]
fn a_file_that_is_no_toml_is_told_by_its_line_but_not_quoted() {
    let refused = case("partitions = 3\npassword = hush\n").refused();
    assert!(refused.starts_with("error: settings.toml, line 2: "), "{refused}");
    assert!(!refused.contains("hush"), "{refused}");
}

#[test]
fn a_missing_file_is_named() {
    let case = case("");
    fs::remove_file(case.path("settings.toml")).unwrap();
    assert!(
        case.refused()
            .starts_with("error: cannot read the settings file settings.toml\n  caused by: No such file")
    );
    fs::create_dir(case.path("settings.toml")).unwrap();
    assert!(case.refused().ends_with("caused by: Is a directory (os error 21)"));
}

#[test]
fn secrets_are_never_shown() {
    let case = case("password = 'hush'\npond = 'https://me:hush@host/pond'");
    let (tiers, loaded) = (case.tiers().unwrap(), case.load().unwrap());
    assert_eq!(loaded.settings.password.as_ref().map(Secret::reveal), Some("hush"));
    let shown = show::toml(&tiers, &loaded);
    assert!(
        !shown.contains("hush") && !format!("{:?}", loaded.settings.password).contains("hush"),
        "{shown}"
    );
    assert!(shown.contains("pond = \"https://***@host/pond\"  # "), "{shown}");
    for wrong in ["password = 4711", "password = 47.11", "password = [4711]"] {
        let refused = self::case(wrong).refused();
        assert!(refused.contains("`password` (settings.toml)") && !refused.contains("47"), "{refused}");
    }
}

#[test]
fn what_is_printed_can_be_read_again() {
    let first = case("hosts = 'a:1'\n[sink]\nindex.shards = 4").flags(&["--partitions", "3", "--quiet"]);
    let shown = show::toml(&first.tiers().unwrap(), &first.load().unwrap());
    let again = case(&shown).load().unwrap();
    let (settings, process) = (again.settings, again.process);
    assert_eq!((settings.hosts.as_str(), settings.partitions, settings.index.shards), ("a:1", 3, 4));
    assert!(process.quiet && shown.contains("partitions = 3  # --partitions\n"), "{shown}");
}

#[test]
#[should_panic(expected = "the flag `lakes` is no field of the settings")]
fn a_flag_that_is_no_setting_is_a_mistake_of_ours() {
    #[derive(Serialize)]
    struct Misspelt {
        lakes: Option<String>,
    }
    let given = parse_from::<Flags>([OsString::from("sink")]).unwrap();
    let none = |_: &str| None;
    let _ = given.tiers_with::<SinkSettings>(None, &given.flags.common, &Misspelt { lakes: None }, &none);
}

/// What `given` gives `S` without a file or variables.
fn plain<F, S: Settings>(given: &Given<F>, options: &impl Serialize, toml: &str) -> Loaded<S> {
    let case = case(toml);
    let file = case.path("settings.toml");
    let tiers = given.tiers_with::<S>(Some(&file), &CommonFlags::default(), options, &|_| None);
    loaded(&tiers.unwrap()).unwrap()
}

#[test]
fn flags_of_a_subcommand_are_flags() {
    #[derive(clap::Parser)]
    struct Flags {
        #[command(subcommand)]
        command: Command,
    }
    #[derive(clap::Subcommand)]
    enum Command {
        Serve(Options),
    }
    let given = parse_from::<Flags>(["sink", "serve", "--hosts", "flag:1"].map(OsString::from)).unwrap();
    let Command::Serve(options) = &given.flags.command;
    assert_eq!(plain::<_, SinkSettings>(&given, options, "hosts = 'file:1'").settings.hosts, "flag:1");
}

#[derive(Serialize, Deserialize)]
struct TokenSettings {
    token: Option<Secret>,
    token_file: Option<PathBuf>,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self { token: Some(Secret::new("from the source")), token_file: None }
    }
}

impl Settings for TokenSettings {
    const TABLE: &'static str = "sink";
}

#[test]
fn a_secret_has_no_default_and_a_setting_of_that_name_stays_a_path() {
    #[derive(Serialize)]
    struct None {}
    let given = parse_from::<Flags>([OsString::from("sink")]).unwrap();
    let settings = plain::<_, TokenSettings>(&given, &None {}, "token_file = '/run/token'").settings;
    assert_eq!(settings.token_file.as_deref(), Some(Path::new("/run/token")));
    assert_eq!(settings.token, Option::None, "it would be the text that hides it");
}
