//! Node's errors: what is wrong is decided here, the sentence is put together in `lib/errors.js`, because it shows the
//! value as Node would.

use napi::bindgen_prelude::{FnArgs, JsValuesTupleIntoVec};
use napi::{Error, Unknown};

use super::Context;

impl Context<'_> {
    /// An error that a hook makes, to be thrown.
    fn error<A>(&self, hook: &str, arguments: A) -> Error
    where
        FnArgs<A>: JsValuesTupleIntoVec,
    {
        match self.hook(hook, arguments) {
            Ok(error) => Error::from(error),
            Err(error) => error,
        }
    }

    /// `ERR_INVALID_ARG_TYPE`; `expected` is the phrase after «must be».
    pub fn invalid_type(&self, name: &str, expected: &str, value: &Unknown) -> Error {
        self.error("invalidType", (name, expected, *value))
    }

    /// `ERR_INVALID_ARG_VALUE`; `reason` is what follows the name.
    pub fn invalid_value(&self, name: &str, value: &Unknown, reason: &str) -> Error {
        self.error("invalidValue", (name, *value, reason))
    }

    /// `ERR_OUT_OF_RANGE`; `range` is the phrase after «must be».
    pub fn out_of_range(&self, name: &str, range: &str, value: &Unknown) -> Error {
        self.error("outOfRange", (name, range, *value))
    }

    /// `ERR_UNKNOWN_SIGNAL`.
    pub fn unknown_signal(&self, value: &Unknown) -> Error {
        self.error("unknownSignal", (*value,))
    }

    /// `ERR_INVALID_SYNC_FORK_INPUT`.
    pub fn invalid_input(&self, value: &Unknown) -> Error {
        self.error("invalidInput", (*value,))
    }

    /// `ERR_IPC_ONE_PIPE`.
    pub fn second_channel(&self) -> Error {
        self.error("secondChannel", ((),))
    }

    /// `ERR_CHILD_PROCESS_IPC_REQUIRED`.
    pub fn channel_required(&self, name: &str) -> Error {
        self.error("channelRequired", (name,))
    }

    /// `ERR_IPC_SYNC_FORK`.
    pub fn synchronous_channel(&self) -> Error {
        self.error("synchronousChannel", ((),))
    }

    /// `ERR_MISSING_ARGS`.
    pub fn missing_argument(&self, name: &str) -> Error {
        self.error("missingArgument", (name,))
    }

    /// `ERR_INVALID_HANDLE_TYPE`.
    pub fn invalid_handle(&self) -> Error {
        self.error("invalidHandle", ((),))
    }

    /// A failed system call.
    pub fn system_error(&self, errno: i32, call: &str) -> Error {
        self.error("errnoError", (-errno, call))
    }

    /// The other end of a channel does not keep to the protocol of handles.
    pub fn broken_handle(&self, reason: &str) -> Error {
        self.error("brokenHandle", (reason,))
    }

    /// `ERR_IPC_CHANNEL_CLOSED`.
    pub fn channel_closed(&self) -> Error {
        self.error("channelClosed", ((),))
    }
}
