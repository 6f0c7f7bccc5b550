// A cluster of two workers that share a listener, and a client in the first process.
const cluster = require('node:cluster');
const http = require('node:http');

const REQUESTS = 40;

function ask(port, left) {
  if (left === 0) {
    for (const worker of Object.values(cluster.workers)) worker.kill();
    return;
  }
  http.get({ host: '127.0.0.1', port, agent: false }, (answer) => {
    answer.resume().on('end', () => ask(port, left - 1));
  });
}

if (cluster.isPrimary) {
  let listening = 0;
  cluster.on('listening', (_worker, address) => {
    listening += 1;
    if (listening === 2) ask(address.port, REQUESTS);
  });
  cluster.fork();
  cluster.fork();
} else {
  http.createServer((_request, response) => response.end('word')).listen(0, '127.0.0.1');
}
