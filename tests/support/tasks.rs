//! The threads of this process, as the kernel lists them.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Far above what the library promises: who asks measures the time.
const PATIENCE: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(2);

/// The ids of the threads with this name.
pub fn named(name: &str) -> Vec<u32> {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let is_one = |id: &u32| fs::read_to_string(file(*id, "comm")).is_ok_and(|comm| comm.trim_end() == name);
    tasks.filter_map(|task| task.file_name().to_str()?.parse().ok()).filter(is_one).collect()
}

pub fn await_none(name: &str) {
    until(&format!("{name} is gone"), || named(name).is_empty());
}

pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        sleep(STEP);
    }
}

/// A field of /proc's "status".
pub fn status(id: u32, field: &str) -> String {
    let text = fs::read_to_string(file(id, "status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {field}: {text}")).trim().to_owned()
}

/// The signals that a thread blocks: bit 0 is signal 1.
pub fn blocked_signals(id: u32) -> u64 {
    u64::from_str_radix(&status(id, "SigBlk"), 16).unwrap()
}

/// How large the mapping is that a waiting thread's stack pointer is in.
pub fn stack_kib(id: u32) -> u64 {
    let mut pointer = 0;
    until("the thread waits", || {
        let call = fs::read_to_string(file(id, "syscall")).unwrap();
        let place = call.split_whitespace().rev().nth(1).and_then(|text| text.strip_prefix("0x"));
        pointer = place.map_or(0, |text| u64::from_str_radix(text, 16).unwrap());
        pointer != 0
    });
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let ranges = maps.lines().filter_map(|line| {
        let (from, to) = line.split(' ').next()?.split_once('-')?;
        Some((u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?))
    });
    let (from, to) = ranges.into_iter().find(|(from, to)| (*from..*to).contains(&pointer)).expect("a stack");
    (to - from) / 1024
}

/// Whether a thread (0: none yet) waits in `poll`.
pub fn polls(id: i32) -> bool {
    let call = fs::read_to_string(file(id.cast_unsigned(), "syscall")).unwrap_or_default();
    let number = call.split(' ').next().and_then(|number| number.parse().ok());
    number == Some(libc::SYS_ppoll)
}

/// The time that this thread has computed.
pub fn computed() -> Duration {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}

fn file(id: u32, name: &str) -> String {
    format!("/proc/self/task/{id}/{name}")
}
