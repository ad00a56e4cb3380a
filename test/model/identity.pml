/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses that follow a workload from node to node: the records of identities in the engine, and what a
 * node writes down of its attachments. README.md says what is modelled and what the switches mean.
 */

#ifndef NX
#define NX 2 /* identities */
#endif
#ifndef NA
#define NA 2 /* addresses */
#endif
#ifndef NS
#define NS 3 /* attachments that start, all together: 2 or 3 */
#endif
#ifndef CRASHES
#define CRASHES 1 /* how many programs are killed at a request, or get no answer */
#endif
#ifndef LATES
#define LATES 0 /* how many requests arrive late, or twice */
#endif
#ifndef DOWNS
#define DOWNS 0 /* how many nodes stop, with their pods */
#endif
#ifndef FORGETS
#define FORGETS 0 /* how often somebody deletes a record that nobody holds */
#endif
#ifndef MOVES
#define MOVES 0 /* how often a record gets another address, since the range set no longer has the first one */
#endif
#define NN 2

/* The record of an identity; address 0: there is none. */
byte i_addr[NX], i_id[NX], i_holder[NX];
bit i_ok[NX];	/* the address is locked for it */
byte ids[NX];	/* ids that were given */
/* The lock of an address: for which identity, and for which record of it. */
byte a_own[NA], a_id[NA];

/* Versions do not come again. So it is enough to know who knows the present one of what: the nodes, the
 * operator, the request that is late. A bit for each. */
#define OPERATOR 4
#define PENDING 8
byte i_cur[NX], a_cur[NA];

/* Attachments, from 1 on: what the node has noted, and whether the pod lives. */
#define NONE 0
#define CLAIMING 1
#define CLAIMED 2 /* the engine has agreed, the lease is not written */
#define LEASED 3
#define RETURNING 4
byte note[NS + 1], who[NS + 1], where[NS + 1], addr[NS + 1];
bit alive[NS + 1];
byte starts;
bit up[NN];

byte crashes = CRASHES, lates = LATES, downs = DOWNS, forgets = FORGETS, moves = MOVES;
bit quiet; /* nothing new begins; what runs ends by itself */

/* A request that arrives after its sender has ended. */
#define MAKE_I 1
#define CHANGE_I 2
#define DROP_I 3
#define MAKE_A 4
#define DROP_A 5
#define AGAIN_A 6
byte z_op, z_x, z_a, z_addr, z_id, z_ok, z_holder;

/* The address that the identity has had; 0: none, or its record was deleted. */
byte had[NX];

bit two, changed; /* violated */

/* What the engine does. done: it did, not because the versions differ. */
inline engine(eop, ex, ea, ead, eid, eok, eh, er, edone)
{
	edone = 0;
	if
	:: eop == MAKE_I && i_addr[ex] == 0 ->
		i_addr[ex] = ead; i_id[ex] = eid; i_ok[ex] = eok; i_holder[ex] = eh; i_cur[ex] = er; edone = 1
#ifdef MUTANT_UPDATE
	:: eop == CHANGE_I && i_addr[ex] != 0 ->
#else
	:: eop == CHANGE_I && i_addr[ex] != 0 && (i_cur[ex] & er) ->
#endif
		i_addr[ex] = ead; i_id[ex] = eid; i_ok[ex] = eok; i_holder[ex] = eh; i_cur[ex] = er; edone = 1
	:: eop == DROP_I && i_addr[ex] != 0 && (i_cur[ex] & er) ->
		i_addr[ex] = 0; i_id[ex] = 0; i_ok[ex] = 0; i_holder[ex] = 0; i_cur[ex] = er; edone = 1;
		had[ex] = 0
	:: eop == MAKE_A && a_own[ea] == 0 ->
		a_own[ea] = ex + 1; a_id[ea] = eid; a_cur[ea] = er; edone = 1
#ifdef MUTANT_DROP
	:: eop == DROP_A && a_own[ea] != 0 ->
#else
	:: eop == DROP_A && a_own[ea] != 0 && (a_cur[ea] & er) ->
#endif
		a_own[ea] = 0; a_id[ea] = 0; a_cur[ea] = er; edone = 1
	:: eop == AGAIN_A && a_own[ea] != 0 && (a_cur[ea] & er) ->
		a_cur[ea] = er; edone = 1
	:: else
	fi
}

/* A request of the program on node n: it is answered; or the program is killed before, or after; or the
 * request arrives later, or twice. */
#define ME (1 << n)
#define KEEP(op, x, a, ad, id, ok, h) \
	z_op = op; z_x = x; z_a = a; z_addr = ad; z_id = id; z_ok = ok; z_holder = h; \
	if \
	:: (op == CHANGE_I || op == DROP_I) && (i_cur[x] & ME) -> i_cur[x] = i_cur[x] | PENDING \
	:: (op == DROP_A || op == AGAIN_A) && (a_cur[a] & ME) -> a_cur[a] = a_cur[a] | PENDING \
	:: else \
	fi
#define ASK(op, x, a, ad, id, ok, h)                                                        \
	atomic {                                                                               \
		if                                                                             \
		:: !up[n] -> goto killed                                                       \
		:: up[n] -> engine(op, x, a, ad, id, ok, h, ME, done)                           \
		:: up[n] && crashes > 0 -> crashes--; goto killed                              \
		:: up[n] && crashes > 0 -> crashes--; engine(op, x, a, ad, id, ok, h, ME, done); goto killed \
		:: up[n] && lates > 0 && z_op == 0 ->                                          \
			lates--; KEEP(op, x, a, ad, id, ok, h); goto killed                 \
		:: up[n] && lates > 0 && z_op == 0 -> lates--;                                 \
			KEEP(op, x, a, ad, id, ok, h); engine(op, x, a, ad, id, ok, h, ME, done) \
		fi                                                                             \
	}

/* Is the lock of address a of the record of x that has this id? */
#ifdef MUTANT_ID
#define IS_OF(a, x, id) (a_own[a] == (x) + 1)
#else
#define IS_OF(a, x, id) (a_own[a] == (x) + 1 && a_id[a] == id)
#endif

proctype Late()
{
	bit done;

end:	do
	:: atomic { z_op != 0 ->
		engine(z_op, z_x, z_a, z_addr, z_id, z_ok, z_holder, PENDING, done);
		z_op = 0; z_x = 0; z_a = 0; z_addr = 0; z_id = 0; z_ok = 0; z_holder = 0;
		i_cur[0] = i_cur[0] & 247; i_cur[NX - 1] = i_cur[NX - 1] & 247;
		a_cur[0] = a_cur[0] & 247; a_cur[NA - 1] = a_cur[NA - 1] & 247 }
	od
}

/* May the holder h of a record be passed over, by the program on node n? What the node has noted of h ends in
 * the same moment, so that h no longer gets a lease. */
inline over(oh, on, oyes)
{
	if
	:: oh == 0 -> oyes = 1
#ifdef MUTANT_ASK
	:: oh != 0 -> oyes = 1
#else
	:: oh != 0 && where[oh] == on && !alive[oh] ->
		oyes = 1;
#ifndef MUTANT_NOTE
		if
		:: note[oh] != NONE -> note[oh] = RETURNING
		:: else
		fi
#endif
	/* "nodesGone", or "release" by a person: the node has stopped */
	:: oh != 0 && where[oh] != on && !up[where[oh]] -> oyes = 1
	:: else -> oyes = 0
#endif
	fi
}

#define GONE(x, n) (quiet && i_holder[x] != 0 && where[i_holder[x]] == n && note[i_holder[x]] == NONE)

/* The programs of a node, one at a time. */
proctype Node(byte n)
{
	byte s, x, a, id, h, tried, own;
	bit done, ok, yes, mine;

top:	atomic {
		s = 0; x = 0; a = 0; id = 0; h = 0; tried = 0; own = 0; done = 0; ok = 0; yes = 0; mine = 0;
		i_cur[0] = i_cur[0] & ~ME; i_cur[NX - 1] = i_cur[NX - 1] & ~ME;
		a_cur[0] = a_cur[0] & ~ME; a_cur[NA - 1] = a_cur[NA - 1] & ~ME };
end:	do
	:: atomic { !quiet && up[n] && starts < NS ->
		starts++; s = starts; where[s] = n; note[s] = CLAIMING;
		if
		:: x = 0
		:: NX > 1 -> x = NX - 1
		fi;
		who[s] = x };
		goto add
	:: atomic { up[n] && note[1] == RETURNING && where[1] == n -> s = 1 }; goto giveup
	:: atomic { NS > 1 && up[n] && note[2] == RETURNING && where[2] == n -> s = 2 }; goto giveup
	:: atomic { NS > 2 && up[n] && note[NS] == RETURNING && where[NS] == n -> s = NS }; goto giveup
#ifndef MUTANT_GC
	/* GC: what the engine says that this node holds, and the node knows nothing of */
	:: atomic { up[n] && GONE(0, n) -> x = 0; s = i_holder[0] }; goto giveup
	:: atomic { NX > 1 && up[n] && GONE(NX - 1, n) -> x = NX - 1; s = i_holder[NX - 1] }; goto giveup
#endif
	od;

add:	/* read the record */
	atomic {
		if :: !up[n] -> goto killed :: else fi;
		a = i_addr[x]; id = i_id[x]; h = i_holder[x]; ok = i_ok[x];
		i_cur[x] = i_cur[x] | ME };
	if
	:: a == 0 -> goto fresh
	:: else
	fi;
	atomic {
		if
		:: h == s -> yes = 1
		:: else -> over(h, n, yes)
		fi };
	if
	:: !yes -> goto refused
	:: else
	fi;
	atomic {
		if
		:: moves > 0 && NA > 1 -> moves--; a = (a % NA) + 1; ok = 0; had[x] = 0
		:: true
		fi };
	ASK(CHANGE_I, x, 0, a, id, ok, s);
	if
	:: !done -> goto add
	:: else
	fi;
#if defined(MUTANT_TRUST)
	goto agreed;
#elif defined(MUTANT_MOVE)
	a = (a % NA) + 1;
	goto lock;
#else
	if
	:: ok -> goto agreed
	:: else -> goto lock
	fi;
#endif

fresh:	atomic {
		if
		:: a = 1
		:: NA > 1 -> a = NA
		fi;
		ids[x]++; id = ids[x] };
#ifdef MUTANT_ORDER
	ASK(MAKE_A, x, a - 1, 0, id, 0, 0);
	if
	:: !done ->
		atomic {
			own = a_own[a - 1];
			if
			:: own != 0 && i_addr[own - 1] != a -> a_own[a - 1] = 0
			:: else
			fi };
		goto refused
	:: else
	fi;
	ASK(MAKE_I, x, 0, a, id, 1, s);
	if
	:: !done -> goto refused
	:: else -> goto agreed
	fi;
#endif
	ASK(MAKE_I, x, 0, a, id, 0, s);
	if
	:: !done -> goto add
	:: else
	fi;

lock:	ASK(MAKE_A, x, a - 1, 0, id, 0, 0);
	if
	:: done -> goto locked
	:: else
	fi;
	/* who has it? */
	atomic { own = a_own[a - 1]; mine = IS_OF(a - 1, x, id);
		a_cur[a - 1] = a_cur[a - 1] | ME };
	if
#ifdef MUTANT_AGAIN
	:: mine -> goto locked
#else
	/* another program that took the lock for an orphan must not remove it */
	:: mine ->
		ASK(AGAIN_A, x, a - 1, 0, id, 0, 0);
		if
		:: done -> goto locked
		:: else -> goto lock
		fi
#endif
	:: own == 0 -> goto lock
	:: else
	fi;
	atomic {
		yes = (i_addr[own - 1] != a || !IS_OF(a - 1, own - 1, i_id[own - 1]) || !(a_cur[a - 1] & ME)) };
	if
	:: yes ->
		ASK(DROP_A, 0, a - 1, 0, 0, 0, 0);
		goto lock
	:: else
	fi;
	/* another one, if there is */
	tried++;
	if
	:: tried >= NA -> goto refused
	:: else
	fi;
	a = (a % NA) + 1;
	ASK(CHANGE_I, x, 0, a, id, 0, s);
	if
	:: !done -> goto refused
	:: else -> goto lock
	fi;

locked:	ASK(CHANGE_I, x, 0, a, id, 1, s);
	if
	:: !done -> goto refused
	:: else
	fi;

agreed:	atomic {
		if
		:: !up[n] -> goto killed
		:: note[s] == CLAIMING -> note[s] = CLAIMED; addr[s] = a
		:: else
		fi;
		if
		:: had[x] != 0 && had[x] != a && i_addr[x] == a && i_holder[x] == s -> changed = 1; assert(changed == 0)
		:: else
		fi;
		if
		:: i_addr[x] == a && i_holder[x] == s -> had[x] = a
		:: else
		fi };
	goto top;

	/* The ADD fails; what it may have written is taken back like that of one that was killed. */
refused: atomic {
		if
		:: note[s] == CLAIMING -> note[s] = RETURNING
		:: else
		fi };
	goto top;

giveup:	atomic {
		if :: !up[n] -> goto killed :: else fi;
		if :: note[s] == RETURNING -> x = who[s] :: else fi;
		a = i_addr[x]; id = i_id[x]; h = i_holder[x]; ok = i_ok[x];
		i_cur[x] = i_cur[x] | ME };
#ifdef MUTANT_DEL
	if
	:: a != 0 ->
#else
	if
	:: a != 0 && h == s ->
#endif
		ASK(CHANGE_I, x, 0, a, id, ok, 0);
		if
		:: !done -> goto giveup
		:: else
		fi
	:: else
	fi;
	atomic { if :: note[s] == RETURNING -> note[s] = NONE; who[s] = 0 :: else fi };
	goto top;

killed:	/* a runtime calls DEL after an ADD that failed or vanished, at some time */
	goto top
}

/* Somebody deletes a record that nobody holds, or "keep" is over. */
proctype Operator()
{
	byte x, a, id;
	bit done, yes;

end:	do
	:: atomic { forgets > 0 && !quiet ->
		forgets--;
		if
		:: x = 0
		:: NX > 1 -> x = NX - 1
		fi;
		a = i_addr[x]; id = i_id[x]; i_cur[x] = i_cur[x] | OPERATOR };
		if
		:: a != 0 && i_holder[x] == 0 ->
			atomic { engine(DROP_I, x, 0, 0, 0, 0, 0, OPERATOR, done) };
			if
			:: done ->
				atomic {
					yes = IS_OF(a - 1, x, id);
					a_cur[a - 1] = a_cur[a - 1] | OPERATOR };
				if
				:: yes -> atomic { engine(DROP_A, 0, a - 1, 0, 0, 0, 0, OPERATOR, done) }
				:: yes && crashes > 0 -> crashes--
				:: else
				fi
			:: else
			fi
		:: else
		fi;
		atomic {
			i_cur[x] = i_cur[x] & 251; if :: a != 0 -> a_cur[a - 1] = a_cur[a - 1] & 251 :: else fi;
			x = 0; a = 0; id = 0; done = 0; yes = 0 }
	od
}

inline lives(ls)
{
	alive[ls] = 1;
	byte o = 1;
	do
	:: o > NS -> break
	:: o <= NS ->
		if
		:: o != ls && alive[o] && addr[o] == addr[ls] -> two = 1; assert(two == 0)
		:: else
		fi;
		o++
	od;
	o = 0
}

#define BEGINS(s) (up[where[s]] && note[s] == CLAIMED)
#define ENDS(s) (up[where[s]] && note[s] != NONE && note[s] != RETURNING)

/* Runtimes and machines: pods begin and end, nodes stop and start. */
proctype World()
{
	byte s;

end:	do
	:: atomic { BEGINS(1) -> lives(1); note[1] = LEASED }
	:: atomic { ENDS(1) -> alive[1] = 0; note[1] = RETURNING; addr[1] = 0 }
	:: atomic { NS > 1 && BEGINS(2) -> lives(2); note[2] = LEASED }
	:: atomic { NS > 1 && ENDS(2) -> alive[2] = 0; note[2] = RETURNING; addr[2] = 0 }
	:: atomic { NS > 2 && BEGINS(NS) -> lives(NS); note[NS] = LEASED }
	:: atomic { NS > 2 && ENDS(NS) -> alive[NS] = 0; note[NS] = RETURNING; addr[NS] = 0 }
	:: atomic { downs > 0 && !quiet ->
		downs--;
		if :: s = 0 :: s = 1 fi;
		up[s] = 0;
		byte k = 1;
		do
		:: k > NS -> break
		:: k <= NS ->
			if
			:: where[k] == s && note[k] != NONE -> alive[k] = 0; note[k] = RETURNING; addr[k] = 0
			:: else
			fi;
			k++
		od;
		k = 0; s = 0 }
	:: atomic { !up[0] -> up[0] = 1 }
	:: atomic { !up[1] -> up[1] = 1 }
	:: atomic { !quiet && starts == NS -> quiet = 1 }
	od
}

/* All has ended: all notes are gone, nothing is on its way. */
#define ENDED (quiet && z_op == 0 && up[0] && up[1] && note[1] == NONE && note[2] == NONE && note[NS] == NONE)

proctype Judge()
{
end:	do
	:: atomic { ENDED && timeout -> assert(!(i_holder[0] != 0 || i_holder[NX - 1] != 0)); break }
	od
}

init
{
	atomic {
		up[0] = 1; up[1] = 1;
#ifdef ORPHAN
		/* the first identity got another address, and the lock of the one before is an orphan */
		ids[0] = 1; i_id[0] = 1; i_addr[0] = NA; i_ok[0] = 1; had[0] = NA;
		a_own[0] = 1; a_id[0] = 1; a_own[NA - 1] = 1; a_id[NA - 1] = 1;
#endif
		run Node(0); run Node(1); run Late(); run Operator(); run World(); run Judge()
	}
}
