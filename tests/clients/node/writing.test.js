'use strict';

const assert = require('node:assert/strict');
const { before, test } = require('node:test');
const { call, connect, refusal, unused } = require('./connection');

const qbo = connect();
const ref = (made) => ({ value: made.Id });
const books = {};

before(async () => {
  for (const [name, type] of [['bank', 'Bank'], ['card', 'Credit Card'], ['expense', 'Expense'], ['income', 'Income']]) {
    const found = await call(qbo, 'findAccounts', { AccountType: type, limit: 1, asc: 'Id' });
    books[name] = found.QueryResponse.Account[0];
  }
  books.vendor = await call(qbo, 'createVendor', { DisplayName: unused('Paper Mill') });
  books.customer = await call(qbo, 'createCustomer', { DisplayName: unused('Corner Shop') });
  books.item = await call(qbo, 'createItem', {
    Name: unused('Hours'), Type: 'Service', IncomeAccountRef: ref(books.income), ExpenseAccountRef: ref(books.expense),
  });
});

const expense = (amount) => ({
  Amount: amount, DetailType: 'AccountBasedExpenseLineDetail',
  AccountBasedExpenseLineDetail: { AccountRef: ref(books.expense) },
});
const sale = (amount) => ({
  Amount: amount, DetailType: 'SalesItemLineDetail', SalesItemLineDetail: { ItemRef: ref(books.item) },
});
const settling = (type, made, amount) => ({ Amount: amount, LinkedTxn: [{ TxnId: made.Id, TxnType: type }] });
const posting = (side, account, amount) => ({
  Amount: amount, DetailType: 'JournalEntryLineDetail',
  JournalEntryLineDetail: { PostingType: side, AccountRef: ref(account) },
});
const balance = async (account) => Math.round((await call(qbo, 'getAccount', account.Id)).CurrentBalance * 100);

// What is written here is created, read, changed with the client's own default (a sparse update), and deleted.
const DOCUMENTS = {
  Bill: () => ({ VendorRef: ref(books.vendor), Line: [expense(10.5)] }),
  VendorCredit: () => ({ VendorRef: ref(books.vendor), Line: [expense(3)] }),
  Purchase: () => ({ PaymentType: 'Cash', AccountRef: ref(books.bank), Line: [expense(9.99)] }),
  Invoice: () => ({ CustomerRef: ref(books.customer), Line: [sale(120.3)] }),
  Payment: () => ({ CustomerRef: ref(books.customer), TotalAmt: 15 }),
  CreditMemo: () => ({ CustomerRef: ref(books.customer), Line: [sale(4)] }),
  SalesReceipt: () => ({ CustomerRef: ref(books.customer), Line: [sale(8)] }),
  RefundReceipt: () => ({
    CustomerRef: ref(books.customer), DepositToAccountRef: ref(books.bank), Line: [sale(2)],
  }),
  Deposit: () => ({
    DepositToAccountRef: ref(books.bank),
    Line: [{ Amount: 7, DetailType: 'DepositLineDetail', DepositLineDetail: { AccountRef: ref(books.income) } }],
  }),
  Transfer: () => ({ FromAccountRef: ref(books.bank), ToAccountRef: ref(books.card), Amount: 11 }),
  JournalEntry: () => ({ Line: [posting('Debit', books.expense, 6), posting('Credit', books.bank, 6)] }),
};

for (const [entity, body] of Object.entries(DOCUMENTS)) {
  test(`a ${entity} is created, read, changed and deleted, and the bank is as before`, async () => {
    const started = await balance(books.bank);
    const made = await call(qbo, `create${entity}`, body());
    assert.deepEqual(await call(qbo, `get${entity}`, made.Id), made);
    const changed = await call(qbo, `update${entity}`, { Id: made.Id, SyncToken: made.SyncToken, PrivateNote: 'noted' });
    assert.deepEqual([changed.PrivateNote, changed.SyncToken, changed.TotalAmt], ['noted', '1', made.TotalAmt]);
    assert.equal(changed.sparse, false);
    const stale = await refusal(call(qbo, `update${entity}`, { Id: made.Id, SyncToken: '0', PrivateNote: 'late' }));
    assert.equal(stale.errors[0].code, '5010');
    const deleted = await call(qbo, `delete${entity}`, made.Id);
    assert.deepEqual(deleted[entity], { domain: 'QBO', status: 'Deleted', Id: made.Id });
    assert.equal((await refusal(call(qbo, `get${entity}`, made.Id))).errors[0].code, '610');
    assert.equal(await balance(books.bank), started);
  });
}

test('name lists are changed and made inactive', async () => {
  for (const [entity, name, body] of [
    ['Vendor', 'DisplayName', {}],
    ['Customer', 'DisplayName', { PrimaryEmailAddr: { Address: 'books@example.com' } }],
    ['Item', 'Name', { Type: 'Service', IncomeAccountRef: ref(books.income) }],
    ['Account', 'Name', { AccountType: 'Expense' }],
    ['Term', 'Name', { DueDays: 45 }],
  ]) {
    const made = await call(qbo, `create${entity}`, { ...body, [name]: unused(entity) });
    assert.deepEqual(await call(qbo, `get${entity}`, made.Id), made);
    const away = await call(qbo, `update${entity}`, { Id: made.Id, SyncToken: made.SyncToken, Active: false });
    assert.deepEqual([away.Active, away[name], away.SyncToken], [false, `${made[name]} (deleted)`, '1']);
    const found = await call(qbo, `find${entity}s`, { Id: made.Id });
    assert.deepEqual(found.QueryResponse, {});
  }
});

test('a bill payment settles a bill and its void reopens it', async () => {
  const bill = await call(qbo, 'createBill', { VendorRef: ref(books.vendor), Line: [expense(100)] });
  const paid = await call(qbo, 'createBillPayment', {
    VendorRef: ref(books.vendor), TotalAmt: 40, PayType: 'Check',
    CheckPayment: { BankAccountRef: ref(books.bank) }, Line: [settling('Bill', bill, 40)],
  });
  assert.equal(paid.CheckPayment.PrintStatus, 'NeedToPrint');
  const open = await call(qbo, 'getBill', bill.Id);
  assert.deepEqual([open.Balance, open.LinkedTxn], [60, [{ TxnId: paid.Id, TxnType: 'BillPaymentCheck' }]]);
  const refused = await refusal(call(qbo, 'deleteBill', bill.Id));
  assert.equal(refused.errors[0].code, '6000');
  const voided = await call(qbo, 'updateBillPayment', { Id: paid.Id, SyncToken: paid.SyncToken, void: true });
  assert.deepEqual([voided.TotalAmt, voided.Line, voided.PrivateNote], [0, [], 'Voided']);
  assert.equal((await call(qbo, 'getBill', bill.Id)).Balance, 100);
});

test('an invoice and its payment are voided', async () => {
  const invoice = await call(qbo, 'createInvoice', { CustomerRef: ref(books.customer), Line: [sale(50)] });
  const paid = await call(qbo, 'createPayment', {
    CustomerRef: ref(books.customer), TotalAmt: 50, Line: [settling('Invoice', invoice, 50)],
  });
  assert.equal((await call(qbo, 'getInvoice', invoice.Id)).Balance, 0);
  assert.equal((await call(qbo, 'voidPayment', paid)).TotalAmt, 0);
  const voided = (await call(qbo, 'voidInvoice', invoice.Id)).Invoice;
  assert.deepEqual([voided.TotalAmt, voided.Balance, voided.PrivateNote], [0, 0, 'Voided']);
});

test('a write repeated with one request id happens once', async () => {
  const name = unused('Once');
  const requestId = unused('id').replaceAll(' ', '-');
  const first = await call(qbo, 'createVendor', { DisplayName: name, requestId });
  const second = await call(qbo, 'createVendor', { DisplayName: name, requestId });
  assert.equal(second.Id, first.Id);
});
