//! Node's `child_process`, natively. `docs/` tells how the parts fit; `launch`, `process` and `sys` know no
//! JavaScript.

#[cfg_attr(test, allow(dead_code, reason = "only N-API calls it"))]
mod api;
mod background;
mod backoff;
pub mod capture;
pub mod channel;
mod collect;
mod engine;
pub mod launch;
mod options;
pub mod process;
mod reactor;
pub mod sys;
mod v8;
