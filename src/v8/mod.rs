//! V8's own serializer, the one behind the advanced mode: called as C++, since N-API has none and `node:v8` makes an object of
//! JavaScript for every message, which keeps all that was read alive until it is collected.
//!
//! `NODE_MODULE_VERSION` stands for one binary interface of V8 (Node.js documentation, «C++ addons»; it is what addons without
//! N-API rely on). `api/channel/serialization.rs` knows the versions that this was tried with, and serialises by `node:v8` on all others.

mod abi;
mod read;
mod write;

pub use abi::Abi;
pub use read::deserialize;
pub use write::serialize;
