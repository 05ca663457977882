//! No settings file makes a program panic.

use super::*;

#[path = "../../../../fuzz/mutate.rs"]
mod mutate;

const TOKENS: &[&[u8]] = &[
    b"=",
    b"[",
    b"]",
    b"[[",
    b"]]",
    b"{",
    b"}",
    b"'''",
    b"\"\"\"",
    b"\"",
    b".",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"#",
    b"\\u0000",
    b"\\UFFFFFFFF",
    b"1979-05-27T07:32:00Z",
    b"0x",
    b"1e400",
    b"nan",
    b"true",
    b"9223372036854775808",
    b"password_file = '/dev/null'\n",
    b"index.shards",
    b"[sink]",
    b"[producer]",
];

#[test]
fn mutated_files_are_read_or_refused_with_the_code_for_settings() {
    let good =
        b"hosts = 'file:1'\npassword = \"geheim\"\nratio = 0.25\n[sink]\npartitions = 4\nindex.shards = 3\n";
    let other = b"[producer]\nrate = 7\n[sink]\nlog = \"info,engine=debug\"\n[sink.index]\nshards = 1\nreplicas = 2\n";
    let case = case("");
    let file = case.path("settings.toml");
    let mut read = 0;
    mutate::each_mutated("mutated settings", &[good, other], TOKENS, |input| {
        fs::write(&file, input).unwrap();
        match case.load() {
            Ok(_) => read += 1,
            Err(exit) => assert_eq!(exit.code(), Code::Config, "{exit}"),
        }
    });
    assert!(read > 100, "only {read} inputs were settings");
}
