'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { call, connect, refusal } = require('./connection');

test('a refresh gives a working token and a revocation ends the connection', async () => {
  const qbo = connect();
  const first = qbo.token;
  const refreshed = await call(qbo, 'refreshAccessToken');
  assert.equal(refreshed.expires_in, 3600);
  assert.notEqual(qbo.token, first);
  assert.ok((await call(qbo, 'findTerms')).QueryResponse.Term.length > 0);
  const [token, realmId] = [qbo.token, qbo.realmId];
  await call(qbo, 'revokeAccess', true);
  const refused = await refusal(call(connect({ token, realmId }), 'findTerms'));
  assert.equal(refused.status, 401);
});
