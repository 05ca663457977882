//! The process itself: its memory and open files, under the names that Prometheus' own clients use. Linux only.

use std::fs;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Read when they are asked for.
#[derive(Debug)]
pub(super) struct Gauges {
    open_files: Gauge,
    memory_bytes: Gauge,
}

impl Gauges {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let gauges = Self { open_files: Gauge::default(), memory_bytes: Gauge::default() };
        if open_files().is_some() {
            registry.register("process_open_fds", "Open files and connections", gauges.open_files.clone());
        }
        if memory_bytes().is_some() {
            registry.register("process_resident_memory_bytes", "Memory in use", gauges.memory_bytes.clone());
        }
        gauges
    }

    pub(super) fn refresh(&self) {
        for (gauge, value) in [(&self.open_files, open_files()), (&self.memory_bytes, memory_bytes())] {
            if let Some(value) = value {
                gauge.set(value);
            }
        }
    }
}

fn open_files() -> Option<i64> {
    i64::try_from(fs::read_dir("/proc/self/fd").ok()?.count()).ok()
}

fn memory_bytes() -> Option<i64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB"))?;
    kib.trim().parse::<i64>().ok()?.checked_mul(1024)
}
