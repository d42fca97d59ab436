//! The table of handle types that can be sent (Node.js documentation, «subprocess.send», «Example: sending a server
//! object»). For each type it says how to take the handle out of an object that is sent, and how to create the object
//! from a handle that was received, with Node's public constructors.

use std::ffi::CStr;
use std::rc::Rc;

use napi::{Env, Result, Unknown, ValueType};

use super::node::{Node, handle_of_datagram};
use super::{Channel, Event};
use crate::channel::counting::Question;
use crate::channel::handles::Kind;
use crate::engine::{self, Call, Held};

/// How one type is sent and received.
pub(super) struct Conversion {
    pub kind: Kind,
    pub send: Outward,
    /// Creates the object for a received handle. `None`: it is passed to [`Got::take`] later, when it is listening.
    pub got: for<'a> fn(&Got<'a, '_>) -> Result<Option<Unknown<'a>>>,
}

/// How an object is sent.
pub(super) struct Outward {
    /// Returns the libuv handle in the object. Null or undefined: the object was sent before, or is closed.
    pub inner: for<'a> fn(&'a Env, &Unknown<'a>) -> Result<Unknown<'a>>,
    /// Adds to the message what the other end needs to know.
    pub describe: fn(&Env, message: &Unknown, object: &Unknown) -> Result<()>,
    /// Called when the object has been sent. Returns a libuv handle that the sender must close.
    pub sent: for<'a> fn(&Sent<'a, '_>) -> Result<Option<Unknown<'a>>>,
}

/// The arguments of [`Outward::sent`].
pub(super) struct Sent<'a, 'b> {
    pub env: &'a Env,
    pub channel: &'b Rc<Channel>,
    pub object: Unknown<'a>,
    pub keeps_open: bool,
}

/// The arguments of [`Conversion::got`].
pub(super) struct Got<'a, 'b> {
    pub env: &'a Env,
    pub channel: &'b Rc<Channel>,
    /// The message that announced the handle.
    pub message: Unknown<'a>,
    /// The libuv handle for the received descriptor.
    pub handle: Unknown<'a>,
    /// The function `take(error, object)`, which gets the object.
    pub take: Unknown<'a>,
}

/// The types, in the order in which an object is tested for them.
static TABLE: [Conversion; 5] = [
    Conversion {
        kind: Kind::NetSocket,
        send: Outward { inner: inner_handle, describe: describe_socket, sent: give_socket_away },
        got: got_socket,
    },
    Conversion {
        kind: Kind::NetServer,
        send: Outward { inner: inner_handle, describe: describe_nothing, sent: keep_copy },
        got: got_server,
    },
    Conversion {
        kind: Kind::DgramSocket,
        send: Outward { inner: handle_of_datagram, describe: describe_datagram, sent: keep_copy },
        got: got_datagram,
    },
    Conversion {
        kind: Kind::NetNative,
        send: Outward { inner: itself, describe: describe_nothing, sent: keep_copy },
        got: got_handle,
    },
    Conversion {
        kind: Kind::DgramNative,
        send: Outward { inner: itself, describe: describe_nothing, sent: keep_copy },
        got: got_handle,
    },
];

impl Conversion {
    /// The type of an object. `None` if it cannot be sent.
    pub fn of_object(env: &Env, node: &Node, object: &Unknown) -> Result<Option<&'static Self>> {
        for conversion in &TABLE {
            if is_of_kind(env, node, object, conversion.kind)? {
                return Ok(Some(conversion));
            }
        }
        Ok(None)
    }

    pub fn of_kind(kind: Kind) -> Option<&'static Self> {
        TABLE.iter().find(|conversion| conversion.kind == kind)
    }
}

fn is_of_kind(env: &Env, node: &Node, object: &Unknown, kind: Kind) -> Result<bool> {
    let (module, class) = match kind {
        Kind::NetSocket => (node.net(env)?, c"Socket"),
        Kind::NetServer => (node.net(env)?, c"Server"),
        Kind::DgramSocket => (node.dgram(env)?, c"Socket"),
        Kind::NetNative | Kind::DgramNative => return Ok(kind_of_handle(env, object)? == Some(kind)),
    };
    engine::is_instance(env, object, &engine::property(env, &module, class)?)
}

/// The type of `object` if it is a raw libuv handle. Node does not export the classes of these, so they are
/// recognised by name.
fn kind_of_handle(env: &Env, object: &Unknown) -> Result<Option<Kind>> {
    if engine::kind(object)? != ValueType::Object
        || !engine::is_function(&engine::property(env, object, c"getAsyncId")?)?
    {
        return Ok(None);
    }
    let class = engine::property(env, object, c"constructor")?;
    if !engine::is_function(&class)? {
        return Ok(None);
    }
    let mut name = vec![];
    engine::push_utf8(env, &engine::property(env, &class, c"name")?, &mut name)?;
    Ok(Kind::of_class(&name))
}

fn itself<'a>(_: &'a Env, handle: &Unknown<'a>) -> Result<Unknown<'a>> {
    Ok(*handle)
}

fn inner_handle<'a>(env: &'a Env, object: &Unknown<'a>) -> Result<Unknown<'a>> {
    engine::property(env, object, c"_handle")
}

fn describe_nothing(_: &Env, _: &Unknown, _: &Unknown) -> Result<()> {
    Ok(())
}

/// Adds the key of the socket's server, under which the receiver counts the socket.
fn describe_socket(env: &Env, message: &Unknown, socket: &Unknown) -> Result<()> {
    let server = engine::property(env, socket, c"server")?;
    if engine::is_truthy(&server)? {
        engine::set_property(env, message, c"key", &engine::property(env, &server, c"_connectionKey")?)?;
    }
    Ok(())
}

fn describe_datagram(env: &Env, message: &Unknown, socket: &Unknown) -> Result<()> {
    engine::set_property(env, message, c"dgramType", &engine::property(env, socket, c"type")?)
}

/// The sender keeps its own copy.
fn keep_copy<'a>(_: &Sent<'a, '_>) -> Result<Option<Unknown<'a>>> {
    Ok(None)
}

fn give_socket_away<'a>(sent: &Sent<'a, '_>) -> Result<Option<Unknown<'a>>> {
    let Sent { env, object: socket, keeps_open, .. } = *sent;
    let server = engine::property(env, &socket, c"server")?;
    if engine::is_truthy(&server)? {
        note_sent(sent, &server)?;
        if !keeps_open {
            let connections = engine::to_f64(env, &engine::property(env, &server, c"_connections")?)?;
            engine::set_property(env, &server, c"_connections", &engine::number(env, connections - 1.0)?)?;
        }
    }
    if keeps_open { Ok(None) } else { detach(sent).map(Some) }
}

/// Takes the libuv handle out of a socket, so that the program can no longer use it.
fn detach<'a>(sent: &Sent<'a, '_>) -> Result<Unknown<'a>> {
    let Sent { env, object: socket, channel, .. } = *sent;
    let handle = inner_handle(env, &socket)?;
    engine::set_property(env, &handle, c"onread", &channel.node().do_nothing(env)?)?;
    engine::set_property(env, &socket, c"_handle", &engine::null(env)?)?;
    engine::call_method(env, &socket, c"setTimeout", [&engine::number(env, 0.0)?])?;
    let parser = engine::property(env, &socket, c"parser")?;
    if engine::is_truthy(&parser)? {
        release_parser(env, channel.node(), &socket, &parser)?;
    }
    Ok(handle)
}

/// For an HTTP connection: detaches the parser and the response, as Node does.
fn release_parser(env: &Env, node: &Node, socket: &Unknown, parser: &Unknown) -> Result<()> {
    let http = node.module(env, c"httpCommon")?;
    if !engine::is_instance(env, parser, &engine::property(env, &http, c"HTTPParser")?)? {
        return Ok(());
    }
    let null = engine::null(env)?;
    engine::call_method(env, &http, c"freeParser", [parser, &null, socket])?;
    let message = engine::property(env, socket, c"_httpMessage")?;
    if engine::is_truthy(&message)? {
        engine::call_method(env, &message, c"detachSocket", [socket])?;
    }
    Ok(())
}

/// When the first socket of a server is sent to this child: registers the child with the server, which will ask it
/// about its sockets. `net.Server` expects an EventEmitter with the methods `close` and `getConnections`.
fn note_sent(sent: &Sent, server: &Unknown) -> Result<()> {
    let Sent { env, channel, .. } = *sent;
    let Some(key) = text(env, &engine::property(env, server, c"_connectionKey")?) else {
        return Ok(());
    };
    if !channel.counting().note_sent(&key) {
        return Ok(());
    }
    let class = engine::property(env, &channel.node().module(env, c"events")?, c"EventEmitter")?;
    let sockets = engine::construct(env, &class, [])?;
    for (name, question) in [(c"close", Question::Close), (c"getConnections", Question::Count)] {
        let (channel, key) = (Rc::clone(channel), key.clone());
        let ask = engine::function(env, move |env, call| {
            let [callback] = call.arguments;
            channel.ask(env, &key, question, &callback).map(|()| None)
        })?;
        engine::set_property(env, &sockets, name, &ask)?;
    }
    engine::call_method(env, server, c"_setupWorker", [&sockets])?;
    channel.emit(env, Event::SocketsSent, [&sockets]);
    Ok(())
}

/// A JavaScript string as a Rust string; `None` for other values.
pub(super) fn text(env: &Env, value: &Unknown) -> Option<String> {
    let mut text = vec![];
    engine::push_utf8(env, value, &mut text).ok()?;
    String::from_utf8(text).ok()
}

fn got_handle<'a>(got: &Got<'a, '_>) -> Result<Option<Unknown<'a>>> {
    Ok(Some(got.handle))
}

fn got_socket<'a>(got: &Got<'a, '_>) -> Result<Option<Unknown<'a>>> {
    let Got { env, channel, message, handle, .. } = *got;
    let yes = engine::boolean(env, true)?;
    let options = engine::object(env, &[(c"handle", handle), (c"readable", yes), (c"writable", yes)])?;
    let class = engine::property(env, &channel.node().net(env)?, c"Socket")?;
    let socket = engine::construct(env, &class, [&options])?;
    if let Some(key) = key_of(env, &message) {
        let closed = channel.close_listener(env, &key)?;
        engine::call_method(env, &socket, c"once", [&engine::string(env, b"close")?, &closed])?;
    }
    Ok(Some(socket))
}

/// The key in a message, under which a socket is counted.
pub(super) fn key_of(env: &Env, message: &Unknown) -> Option<String> {
    let key = engine::property(env, message, c"key").ok()?;
    text(env, &key).filter(|key| !key.is_empty())
}

fn got_server<'a>(got: &Got<'a, '_>) -> Result<Option<Unknown<'a>>> {
    let Got { env, channel, .. } = *got;
    let class = engine::property(env, &channel.node().net(env)?, c"Server")?;
    take_when_listening(got, &engine::construct(env, &class, [])?, c"listen")
}

fn got_datagram<'a>(got: &Got<'a, '_>) -> Result<Option<Unknown<'a>>> {
    let Got { env, channel, message, .. } = *got;
    let kind = engine::property(env, &message, c"dgramType")?;
    let socket = engine::call_method(env, &channel.node().dgram(env)?, c"createSocket", [&kind])?;
    take_when_listening(got, &socket, c"bind")
}

/// Has `object` listen on the handle by calling its method `start`, and passes it to `take` once it is listening.
fn take_when_listening<'a>(
    got: &Got<'a, '_>,
    object: &Unknown<'a>,
    start: &CStr,
) -> Result<Option<Unknown<'a>>> {
    let Got { env, handle, take, .. } = *got;
    let event = engine::string(env, b"error")?;
    let take_error = Held::new(env, &take)?;
    let failed = engine::function(env, move |env, call| {
        let [error] = call.arguments;
        engine::call(env, &take_error, [&error, &engine::undefined(env)?])?;
        Ok(None)
    })?;
    engine::call_method(env, object, c"once", [&event, &failed])?;
    let (take, failed) = (Held::new(env, &take)?, Held::new(env, &failed)?);
    let listening = engine::function(env, move |env, call: &Call<0>| {
        let event = engine::string(env, b"error")?;
        engine::call_method(env, &call.this, c"off", [&event, &failed.get(env)?])?;
        engine::call(env, &take, [&engine::null(env)?, &call.this])?;
        Ok(None)
    })?;
    engine::call_method(env, object, start, [&handle, &listening])?;
    Ok(None)
}
