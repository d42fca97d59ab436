//! V8's serializer, called directly as C++, for the advanced mode. N-API has no serializer, and `node:v8` creates a
//! JavaScript object for every message, which keeps everything that was read alive until it is garbage-collected.
//!
//! All Nodes with the same `NODE_MODULE_VERSION` have the same binary interface of V8 (Node.js documentation, «C++
//! addons»); addons that do not use N-API rely on this. `api/channel/serialization.rs` lists the versions that have
//! been tested, and uses `node:v8` on all others.

mod abi;
mod read;
mod write;

pub use abi::Abi;
pub use read::deserialize;
pub use write::serialize;
