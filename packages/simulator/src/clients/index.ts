/** The clients of the simulator: who they are, what they do, and what is taken down of it. */
export { classOf } from "./classify.js";
export { type ClientsConfig, defaultClientsConfig, type RoleName, roleNames } from "./config.js";
export { type Clients, startClients } from "./start-clients.js";
