"""Where a verdict turns: every threshold that a sentence hangs on, with the reason for its value.

Most are conventions: round numbers, at which a reader would draw the line too. The numbers
themselves are always given beside the verdict.
"""

NOTABLE = 0.05
"""A neuron is notable when it alone moves this share of the difference, either way: less than a
twentieth would take more than twenty neurons to make the whole."""

LEAD = 1.2
"""The best neuron stands out when it recovers so many times as much as the next: with less than a
fifth between them, another pair of prompts may well put them in another order."""

SAYS = 0.25
"""One neuron says the word where it alone recovers this share of the difference: with four of its
kind the whole would be made, while below it many neurons have to take part."""

MEDIATED = 0.5
"""A neuron acts through another one where more than half of its recovery is gone when that one is
held: then it is a step of the same path rather than a rival."""

MANY = 20
"""So many notable neurons make a crowd: at a twentieth each they could carry the whole."""

SMALL_SET = 10
"""So few neurons are a small set: one can read what each of them does."""

ENOUGH = 10
"""A set is enough where none up to so many times as large brings much more: one that grows by
less than another factor of ten could hide its growth between two points of a curve."""

MUCH_MORE = 0.1
"""And much more is a tenth of the difference: with less, half of it would take more than fifty
neurons besides."""

CLEAR_PAIR = 10
"""The excess of a pair is more than rounding from so many times the largest that a neuron which
changes nothing has: an order of magnitude."""

CLEAR_OF_NOISE = 1000
"""A recovery so many times that of a patch that changes nothing cannot be rounding."""

SCREEN_SIZE = 10
"""A screen finds a neuron when it is among so few of its first, as many as the sweep confirms."""

TOLERABLE = 0.02
"""An estimate this near to the measurement, in shares of the difference, is right: the error is
less than half of what makes a neuron notable."""

AGREEMENT = 0.9
"""Estimate and measurement agree from this correlation: one explains four fifths of the variance
of the other."""

ACTIVE = 0.5
"""A neuron is active where it reaches this share of its peak, the activation at the end of the
prompt that excites it: half, as a width is measured at half of the maximum."""

MOST = 0.5
"""Half of the places or more are most of them."""

FEW = 0.1
"""A smaller share of the places than a tenth is few of them."""

OFF = 0.1
"""A neuron is nearly off where a tenth of its activation, or less, is left: nine tenths of what it
adds to the residual stream are gone."""

RARELY = 1e-3
"""A neuron is nearly silent when it is active on a smaller share of tokens than this: even “an” is
one English word in three hundred, so it cannot be at work before most of them."""

EXPECTED = 0.05
"""A model expects no token that it gives less than this, however unlikely the token is after the
clean prompt: nineteen times in twenty it says something else."""

NEGLIGIBLE = 0.1
"""An effect below this share of the one beside which it is told is negligible: it is hard to see
in a figure that shows both, and a later component that does no more is not named."""

UNCHANGED = 0.05
"""Later components leave a direct effect as it is when they change it by less than this share of
it: the two digits in which effects are told would hardly differ."""

SAME_READING = 1e-3
"""Lens readings nearer than this, in logits, are the same: float32 rounds sums of logits so far."""

SPECIFIC = 0.5
"""A step of the lens answers to the exchanged word when the corrupted prompt's rises less than half
as much: then most of it is not there without the word."""

HALF = 0.5
"""A component holds the difference, or is necessary for it, from half of it on: below, the model's
answer stays nearer to that of the other prompt."""

NEARLY_ALL = 0.9
"""A component is sufficient when it alone restores so much: a tenth is left to all others."""

ONE_WAY = 0.9
"""An end of a gated neuron's activation comes in one way where so many of its tokens have the same
signs of gate and up: with more than a tenth of other signs, those would be a second way."""

MORE_THAN_ALL = 1.05
"""Recoveries that add up to more count the same effect twice; up to a twentieth is left to how far
recoveries are from adding up in any case."""

LEADS_TWICE = 2.0
"""One head stands alone when it recovers twice what the next one does."""

FAR = 5
"""A token this many standard deviations from the mean lies far out: were logits normal, not one
of a million tokens would."""

SPELLED = 2
"""A spelling this many standard deviations above the mean is written too: one token in forty would
lie there, were logits normal."""

MUCH = 0.3
"""A component that makes this share of a difference, or more, carries it: of the dozens of heads
and MLPs before a neuron few can make as much."""

LITTLE = 0.2
"""A head that takes back less than this share of what the strongest one gives does not oppose it:
so small a loss changes nothing about who is strongest."""

EXACT = 1e-4
"""Contributions sum to the whole within this share of its size: float32, summed over hundreds of
terms, errs by less."""

USUAL = 0.05
"""A contribution, or a favourite token, is usual if more than this share of comparable neurons have
as much, the customary level of a test."""

FAINT = 0.1
"""A head that makes no more than this share of a neuron's difference does not drive it: nine tenths
come from others."""

RESTATES = 0.8
"""Correlation from which the cosine shows what the pre-activation shows: less than half of the
variance is then its own."""

FEW_OCCURRENCES = 30
"""Precision and recall are rough where the target occurs more rarely: the interval of a share of
thirty is still a third wide."""

DOCUMENTS = 3
"""What is claimed of text must be seen in so many documents: tokens of one are not independent, and
what stands in one or two may be a habit of theirs."""

PLENTY = 100
"""From so many occurrences on a share's interval is no wider than a tenth to either side."""

HUB = 0.5
"""First for more than this share of the vocabulary, a neuron is a hub: then a word's first neuron
is mostly the same one, and tells nothing of the word."""

CLOSE = 0.5
"""Another spelling is close behind where it takes more than half of a pair's score."""

SAME_SIGN = 0.5
"""Correlations mostly have the sign that the weights tell where their mean is more than this share
of their mean size: then more than three quarters of the size has that sign."""

TRADED = 0.8
"""Target and foil trade with each other when one gains this share of what the other loses: four
fifths, so that what other tokens gain or lose is the small remainder."""

STRONG = 0.25
"""A neuron carries the difference when it alone brings back this share of the difference: four
such neurons, and nothing would be left to explain."""

SAME_DEPTH = 0.1
"""Neurons within a tenth of the depth are at about the same one: two or three blocks of small
models, which is as close as the best and the next-best neuron of one model often are."""

SMALL = 100_000
"""Fewer neurons than this make a small model; the original study's had 184,320."""

GAP = 1.0
"""Logits: prompts whose logit differences lie nearer leave little to explain. Where the model
prefers the right word after both, it does so after one of them by less than half a logit: five
chances in eight, not far from a coin."""

UNMOVED = 0.05
"""Logits: an answer that scaling a neuron from -1 to 3 moves by less than this hardly moves; the
odds of target against foil change by a twentieth."""

AS_ACTIVE = 2.0
"""A matched neuron is about as active when its activation norm is within this factor of the
neuron's: with less than half of the activation it has less than half of the means to do as much."""

FOLLOWS = 0.7
"""From this correlation a change follows the activation: half of its variance is then the
activation's."""

FOLLOWS_FACTOR = 0.75
"""An AUC from which a neuron follows a factor: halfway from chance to perfect order. Below, it only
leans to it, however sure that is. A neuron whose interval has 0.5, and nothing so far from it on
either side, does not tell a word's places; a wider one leaves that open."""

SAME_MODEL = 1e-4
"""Two ways of computing a model are the same within this share of its logits' spread. In float32
they differ by two millionths; a setting that one of them does not know changes a hundredth."""

ROUNDINGS = 16
"""In narrower types the same is meant by so many units of rounding: 30 blocks make about five."""

COPIED = 0.5
"""A neuron is copied into another model when it does at least half there of what it does in its
own: below, most of it has not come along."""
