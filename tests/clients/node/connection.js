// node-quickbooks connected to the local QuickBooks: other addresses, and its callbacks as promises.
'use strict';

const { promisify } = require('node:util');
const QuickBooks = require('node-quickbooks');

const { SANDBOX_URL, REALM_ID, ACCESS_TOKEN, REFRESH_TOKEN } = process.env;
const CLIENT = { id: 'sandbox-client', secret: 'sandbox-secret' };

QuickBooks.V3_ENDPOINT_BASE_URL = `${SANDBOX_URL}/v3/company/`;
QuickBooks.TOKEN_URL = `${SANDBOX_URL}/oauth2/v1/tokens/bearer`;
QuickBooks.REVOKE_URL = `${SANDBOX_URL}/v2/oauth2/tokens/revoke`;

/** A client of the company; `token` and `realmId` replace the connection's own. */
function connect({ token = ACCESS_TOKEN, realmId = REALM_ID } = {}) {
  const useSandbox = true, debug = false, minorversion = 75;
  return new QuickBooks(
    CLIENT.id, CLIENT.secret, token, false, realmId, useSandbox, debug, minorversion, '2.0', REFRESH_TOKEN,
  );
}

/** Call a method that ends in a callback; rejects with what the callback got as its error. */
function call(client, method, ...values) {
  return promisify(client[method]).call(client, ...values);
}

/** The faults of a refusal: the service answers 400 and axios makes an error of it. */
async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    return { status: error.response.status, body: error.response.data, errors: error.response.data?.Fault?.Error };
  }
  throw new Error('the request was not refused');
}

let numbers = 0;
const unused = (name) => `${name} ${process.pid} ${++numbers}`;

module.exports = { call, connect, refusal, unused };
