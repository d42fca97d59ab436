//! Starts real processes, without Node.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::*;
use crate::sys::Exit;

/// Prevents tests from running in parallel: a file that one test has open for writing would be inherited by another
/// test's child, and exec of it would fail with `ETXTBSY`.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn command(args: &[&str]) -> Command {
    Command {
        stdio: vec![Stdio::Null, Stdio::Null, Stdio::Null],
        ..Command::new(CString::new(args[0]).unwrap(), args.iter().map(|arg| arg.as_bytes()).collect())
    }
}

fn run(command: Command) -> Result<Exit, i32> {
    let mut launched = launch(command)?;
    launched.exec.wait()?;
    Ok(launched.process.wait_for_end().unwrap())
}

fn output(mut command: Command) -> String {
    let (ours, childs) = sys::stream_pair().unwrap();
    command.stdio = vec![Stdio::Null, Stdio::Pipe(childs), Stdio::Null];
    let mut launched = launch(command).unwrap();
    let mut text = String::new();
    File::from(ours).read_to_string(&mut text).unwrap();
    launched.process.wait_for_end().unwrap();
    text
}

fn strings(list: &[&str]) -> Strings {
    list.iter().map(|item| item.as_bytes()).collect()
}

struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("child-process-rs-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str, mode: u32) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn exit_codes_and_signals_are_told_apart() {
    let _alone = alone();
    assert_eq!(run(command(&["sh", "-c", "exit 7"])), Ok(Exit { code: 7, signal: 0 }));
    assert_eq!(run(command(&["sh", "-c", "kill -9 $$"])), Ok(Exit { code: 0, signal: 9 }));
}

#[test]
fn a_child_reads_and_writes_its_pipes() {
    let _alone = alone();
    let (input, childs_input) = sys::stream_pair().unwrap();
    let (ours, childs_output) = sys::stream_pair().unwrap();
    let mut cat = command(&["cat"]);
    cat.stdio = vec![Stdio::Pipe(childs_input), Stdio::Pipe(childs_output), Stdio::Null];
    let launched = launch(cat).unwrap();
    let mut input = File::from(input);
    input.write_all(b"hello").unwrap();
    drop(input);
    let mut text = String::new();
    File::from(ours).read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello");
    drop(launched);
}

#[test]
fn descriptors_trade_places() {
    let _alone = alone();
    let folder = Folder::new("swap");
    let (one, other) = (folder.file("one", "1", 0o644), folder.file("other", "2", 0o644));
    let (one, other): (OwnedFd, OwnedFd) =
        (File::open(one).unwrap().into(), File::open(other).unwrap().into());
    let (ours, childs) = sys::stream_pair().unwrap();
    let mut plan = command(&["sh", "-c", "cat <&3; cat <&4; test -e /proc/self/fd/5 && echo open"]);
    plan.stdio = vec![
        Stdio::Null,
        Stdio::Pipe(childs),
        Stdio::Null,
        Stdio::Inherit(other.as_raw_fd()),
        Stdio::Inherit(one.as_raw_fd()),
        Stdio::Closed,
    ];
    launch(plan).unwrap();
    let mut text = String::new();
    File::from(ours).read_to_string(&mut text).unwrap();
    assert_eq!(text, "21");
}

#[test]
fn only_the_requested_descriptors_are_open_in_the_child() {
    let _alone = alone();
    // SAFETY: a new descriptor without close-on-exec, as a careless library would leave it.
    let leak = unsafe { libc::dup(2) };
    let listed = output(command(&["ls", "/proc/self/fd"]));
    // SAFETY: it has no other owner.
    unsafe { libc::close(leak) };
    // 3 is the directory that ls has opened.
    assert_eq!(listed, "0\n1\n2\n3\n");
}

#[test]
fn the_environment_is_inherited_or_replaced() {
    let _alone = alone();
    assert_eq!(output(command(&["sh", "-c", "echo $PATH"])).trim(), std::env::var("PATH").unwrap());
    let mut env = command(&["/usr/bin/env"]);
    env.env = Some(strings(&["A=1", "B=2"]));
    assert_eq!(output(env), "A=1\nB=2\n");
}

#[test]
fn the_lookup_uses_the_childs_path() {
    let _alone = alone();
    let folder = Folder::new("path");
    folder.file("tool", "#!/bin/sh\necho found", 0o755);
    let mut tool = command(&["tool"]);
    tool.env = Some(strings(&[&format!("PATH=/nowhere:{}", folder.0.display())]));
    assert_eq!(output(tool), "found\n");
    let mut relative = command(&["tool"]);
    relative.env = Some(strings(&["PATH="]));
    relative.cwd = Some(CString::new(folder.0.to_str().unwrap()).unwrap());
    assert_eq!(output(relative), "found\n");
}

#[test]
fn what_cannot_run_is_detected_before_a_child_exists() {
    let _alone = alone();
    let folder = Folder::new("foreseen");
    let plain = folder.file("plain", "x", 0o644);
    let orphan = folder.file("orphan", "#!/nonexistent/interpreter\n", 0o755);
    let below = format!("{plain}/x");
    for (file, errno) in [
        ("/nonexistent", libc::ENOENT),
        ("surely-not-in-the-path", libc::ENOENT),
        ("", libc::ENOENT),
        ("/", libc::EACCES),
        (plain.as_str(), libc::EACCES),
        (orphan.as_str(), libc::ENOENT),
        (below.as_str(), libc::ENOTDIR),
    ] {
        assert_eq!(launch(command(&[file])).err(), Some(errno), "{file}");
    }
    let mut lost = command(&["true"]);
    lost.cwd = Some(c"/nonexistent".to_owned());
    assert_eq!(launch(lost).err(), Some(libc::ENOENT));
}

#[test]
fn a_file_that_the_kernel_does_not_know_goes_to_the_shell_where_execvp_does_that() {
    let _alone = alone();
    let folder = Folder::new("noexec");
    let script = folder.file("script", "echo \"$0 $1\"", 0o755);
    let script = command(&[&script, "argument"]);
    if sys::HAS_SHELL {
        let name = script.file.to_str().unwrap().to_owned();
        assert_eq!(output(script), format!("{name} argument\n"));
    } else {
        assert_eq!(launch(script).err(), Some(libc::ENOEXEC));
    }
}

#[test]
fn an_exec_that_only_the_kernel_can_refuse_is_reported_later() {
    let _alone = alone();
    let folder = Folder::new("busy");
    let busy = folder.file("busy", "", 0o755);
    fs::copy("/bin/true", &busy).unwrap();
    fs::set_permissions(&busy, fs::Permissions::from_mode(0o755)).unwrap();
    let _writer = fs::OpenOptions::new().write(true).open(&busy).unwrap();
    let mut launched = launch(command(&[&busy])).unwrap();
    assert_eq!(launched.exec.wait(), Err(libc::ETXTBSY));
    launched.process.wait_for_end().unwrap();
}

#[test]
fn too_many_arguments_are_refused_at_once() {
    let _alone = alone();
    let long = "x".repeat(200_000);
    assert_eq!(launch(command(&["true", &long])).err(), Some(libc::E2BIG));
}
