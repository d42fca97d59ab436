process.on('message', (message) => process.send({ big: message.big + 1n }));
