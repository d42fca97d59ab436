'use strict';

/**
 * One end of the channel: a ChildProcess or `process`. What is measured and what arranges the measuring travel
 * together, so that they stay in order; the latter has a `control`.
 */
class End {
  #channel;
  #handlers = new Map();
  /** Takes each measured message. */
  data = () => {
    throw new Error('a message that nobody asked for');
  };

  constructor(channel) {
    this.#channel = channel;
    channel.on('message', (message, handle) => {
      const { control } = message;
      if (control === undefined) this.data(message, handle);
      else this.#handlers.get(control)(message);
    });
  }

  on(control, handler) {
    this.#handlers.set(control, handler);
  }

  /** The next one, as a promise. */
  next(control) {
    return new Promise((resolve) => {
      this.on(control, resolve);
    });
  }

  tell(control, values) {
    this.#channel.send({ control, ...values });
  }

  async ask(control, values) {
    const answer = this.next(control);
    this.tell(control, values);
    return answer;
  }

  /** A measured message. False when the channel wants a pause, as send() says it. */
  send(message, handle) {
    return this.#channel.send(message, handle);
  }
}

module.exports = { End };
