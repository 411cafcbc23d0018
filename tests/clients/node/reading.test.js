'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { call, connect, refusal, unused } = require('./connection');

const qbo = connect();

test('every kind of object is found by its method', async () => {
  const methods = {
    findAccounts: 'Account', findBillPayments: 'BillPayment', findBills: 'Bill', findCreditMemos: 'CreditMemo',
    findCustomers: 'Customer', findDeposits: 'Deposit', findInvoices: 'Invoice', findItems: 'Item',
    findPayments: 'Payment', findPurchases: 'Purchase', findSalesReceipts: 'SalesReceipt', findTerms: 'Term',
    findTransfers: 'Transfer', findVendors: 'Vendor',
  };
  for (const [method, entity] of Object.entries(methods)) {
    const found = (await call(qbo, method, { limit: 3 })).QueryResponse[entity] ?? [];
    const { totalCount } = (await call(qbo, method, { count: true })).QueryResponse;
    assert.equal(found.length, Math.min(3, totalCount), method);
  }
});

test('criteria of every form select what they say', async () => {
  const everything = (await call(qbo, 'findInvoices', { fetchAll: true, asc: 'Id' })).QueryResponse.Invoice;
  const ids = (answer) => (answer.QueryResponse.Invoice ?? []).map((each) => each.Id).sort();
  const expected = (test) => everything.filter(test).map((each) => each.Id).sort();
  const [first, second] = everything;
  const middle = everything.map((each) => each.TotalAmt).sort((a, b) => a - b)[everything.length / 2 | 0];
  const cases = [
    [{ Id: first.Id }, (each) => each.Id === first.Id],
    [{ Id: [first.Id, second.Id] }, (each) => [first.Id, second.Id].includes(each.Id)],
    [{ CustomerRef: first.CustomerRef.value }, (each) => each.CustomerRef.value === first.CustomerRef.value],
    [[{ field: 'TxnDate', value: '2026-06-01', operator: '>=' }, { field: 'Balance', value: 0, operator: '>' }],
      (each) => each.TxnDate >= '2026-06-01' && each.Balance > 0],
    [[{ field: 'DocNumber', value: '%1%', operator: 'LIKE' }], (each) => (each.DocNumber ?? '').includes('1')],
    [[{ field: 'TotalAmt', value: middle, operator: '<=' }], (each) => each.TotalAmt <= middle],
    [" where TxnDate < '2026-01-01' maxresults 1000", (each) => each.TxnDate < '2026-01-01'],
  ];
  for (const [criteria, test] of cases) {
    assert.ok(expected(test).length > 0, JSON.stringify(criteria));
    assert.deepEqual(ids(await call(qbo, 'findInvoices', criteria)), expected(test), JSON.stringify(criteria));
  }
});

test('a count has the conditions of its query', async () => {
  const active = [{ field: 'Active', value: [true, false], operator: 'IN' }];
  const all = (await call(qbo, 'findVendors', [...active, { field: 'limit', value: 1000 }])).QueryResponse.Vendor;
  const counted = await call(qbo, 'findVendors', [...active, { count: true }]);
  assert.equal(counted.QueryResponse.totalCount, all.length);
});

test('fetchAll reads every page', async () => {
  const { totalCount } = (await call(qbo, 'findBills', { count: true })).QueryResponse;
  const found = (await call(qbo, 'findBills', { limit: 30, asc: 'Id', fetchAll: true })).QueryResponse;
  assert.ok(totalCount > 60);
  assert.equal(new Set(found.Bill.map((each) => each.Id)).size, totalCount);
  assert.equal(found.maxResults, totalCount);
});

test('an order and an offset are kept', async () => {
  const all = (await call(qbo, 'findAccounts', { desc: 'Name', limit: 50 })).QueryResponse.Account;
  const names = all.map((each) => each.Name.toLowerCase());
  assert.deepEqual(names, [...names].sort().reverse());
  const later = (await call(qbo, 'findAccounts', { desc: 'Name', limit: 5, offset: 4 })).QueryResponse;
  assert.deepEqual(later.Account.map((each) => each.Id), all.slice(3, 8).map((each) => each.Id));
  assert.equal(later.startPosition, 4);
});

test('quotes and signs in names are found', async () => {
  const name = unused("Adam's Candy & Soda + 100% #1");
  const made = await call(qbo, 'createVendor', { DisplayName: name });
  const found = (await call(qbo, 'findVendors', { DisplayName: name })).QueryResponse.Vendor;
  assert.deepEqual(found.map((each) => each.Id), [made.Id]);
});

test('the company and its preferences are read', async () => {
  const info = await call(qbo, 'getCompanyInfo', process.env.REALM_ID);
  assert.deepEqual([info.CompanyName, info.Id, info.Country], ['Alder Agency', '1', 'US']);
  assert.equal((await call(qbo, 'getPreferences')).CurrencyPrefs.HomeCurrency.value, 'USD');
});

test('the reports are read', async () => {
  const period = { start_date: '2026-01-01', end_date: '2026-10-31', accounting_method: 'Accrual' };
  for (const [method, name] of [
    ['reportBalanceSheet', 'BalanceSheet'], ['reportProfitAndLoss', 'ProfitAndLoss'], ['reportCashFlow', 'CashFlow'],
  ]) {
    const { Header, Columns, Rows } = await call(qbo, method, period);
    assert.deepEqual([Header.ReportName, Header.StartPeriod, Header.EndPeriod], [name, '2026-01-01', '2026-10-31']);
    assert.deepEqual(Columns.Column.map((each) => each.ColType), ['Account', 'Money']);
    assert.ok(Rows.Row.length > 0);
  }
  for (const method of ['reportAgedPayables', 'reportAgedReceivables']) {
    const { Rows } = await call(qbo, method, { report_date: '2026-11-20' });
    assert.equal(Rows.Row.at(-1).group, 'GrandTotal');
  }
});

test('change data tells what was changed and what is gone', async () => {
  const vendor = await call(qbo, 'createVendor', { DisplayName: unused('Changed') });
  const since = new Date(Date.parse(vendor.MetaData.CreateTime));
  const expense = (await call(qbo, 'findAccounts', { AccountType: 'Expense', limit: 1 })).QueryResponse.Account[0];
  const line = {
    Amount: 5, DetailType: 'AccountBasedExpenseLineDetail',
    AccountBasedExpenseLineDetail: { AccountRef: { value: expense.Id } },
  };
  const bill = await call(qbo, 'createBill', { VendorRef: { value: vendor.Id }, Line: [line] });
  await call(qbo, 'deleteBill', bill.Id);
  const answer = await call(qbo, 'changeDataCapture', ['Vendor', 'Term', 'Bill'], since);
  const [vendors, terms, bills] = answer.CDCResponse[0].QueryResponse;
  assert.ok(vendors.Vendor.some((each) => each.Id === vendor.Id));
  assert.deepEqual(terms, {});
  assert.ok(bills.Bill.some((each) => each.Id === bill.Id && each.status === 'Deleted' && !('SyncToken' in each)));
});

test('a batch answers every item by itself', async () => {
  const name = unused('Batch');
  const answer = await call(qbo, 'batch', [
    { bId: 'make', operation: 'create', Vendor: { DisplayName: name } },
    { bId: 'wrong', operation: 'create', Vendor: { Nonsense: 1 } },
    { bId: 'ask', Query: 'select * from Term' },
  ]);
  const items = Object.fromEntries(answer.BatchItemResponse.map((each) => [each.bId, each]));
  assert.equal(items.make.Vendor.DisplayName, name);
  assert.equal(items.wrong.Fault.Error[0].code, '2010');
  assert.ok(items.ask.QueryResponse.Term.length > 0);
});

test('refusals carry the service\'s fault', async () => {
  const missing = await refusal(call(qbo, 'getBill', '999999'));
  assert.deepEqual([missing.status, missing.errors[0].code], [400, '610']);
  const wrong = await refusal(call(qbo, 'findBills', " where Nonsense = '1'"));
  assert.deepEqual([wrong.status, wrong.errors[0].code], [400, '4001']);
  const unknown = await refusal(call(qbo, 'createVendor', { DisplayName: unused('V'), Nonsense: 1 }));
  assert.match(unknown.errors[0].Detail, /^Property Name:Unrecognized field "Nonsense"/);
});

test('a garbled token and another realm are refused by the gateway', async () => {
  const garbled = await refusal(call(connect({ token: 'garbled' }), 'findTerms'));
  assert.deepEqual([garbled.status, garbled.body.fault.error[0].code], [401, '3200']);
  const elsewhere = await refusal(call(connect({ realmId: '9130000000000099999' }), 'findTerms'));
  assert.deepEqual([elsewhere.status, elsewhere.body.fault.error[0].code], [403, '3100']);
});
