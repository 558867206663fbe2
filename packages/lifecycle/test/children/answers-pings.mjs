// A WebSocket server, which answers each ping.
import { say } from '@procref/testing/child'
import { WebSocketServer } from 'ws'

const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
server.on('connection', (socket) => socket.on('error', () => {}))
server.once('listening', () => say('listening', { port: server.address().port }))
