// Node's http: a server that answers what it is sent and counts its connections, and a client that compares.
// http-echo.js serve PORT | talk HOST PORT keep|close
const http = require('http');
const crypto = require('crypto');

const Requests = 60;
const AtOnce = 6;

function serve(port) {
    let connections = 0;
    const server = http.createServer((request, response) => {
        const chunks = [];
        request.on('data', chunk => chunks.push(chunk));
        request.on('end', () => {
            if (request.url === '/connections')
                response.end(`${connections} ${request.socket.remoteAddress}`);
            else
                response.end(Buffer.concat(chunks));
        });
    });
    server.on('connection', () => connections++);
    server.listen(port);
}

function post(options, body) {
    return new Promise((resolve, reject) => {
        const request = http.request({ ...options, method: 'POST', timeout: 30000 }, response => {
            const chunks = [];
            response.on('data', chunk => chunks.push(chunk));
            response.on('end', () => resolve(Buffer.concat(chunks)));
            response.on('error', reject);
        });
        request.on('error', reject);
        request.on('timeout', () => reject(new Error('no answer')));
        request.end(body);
    });
}

async function talk(host, port, keepAlive) {
    // With a bound on its sockets an agent keeps them although told not to, while requests wait.
    const agent = new http.Agent(keepAlive ? { keepAlive, maxSockets: AtOnce } : { keepAlive });
    let left = Requests;
    async function work() {
        while (left-- > 0) {
            const body = crypto.randomBytes(crypto.randomInt(500000));
            if (!body.equals(await post({ host, port, agent, path: '/echo' }, body)))
                throw new Error('the answer differs');
        }
    }
    await Promise.all(Array.from({ length: AtOnce }, work));
    const told = await post({ host, port, agent, path: '/connections' }, '');
    console.log(`${Requests} right, connections and peer: ${told}`);
    agent.destroy();
}

const [what, ...rest] = process.argv.slice(2);
if (what === 'serve')
    serve(Number(rest[0]));
else
    talk(rest[0], Number(rest[1]), rest[2] === 'keep').catch(error => { console.error(error); process.exit(1); });
