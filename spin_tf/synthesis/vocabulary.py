"""A small vocabulary of words that signs, labels and screens show, for use without a lexicon file and as its spice."""

_TEXT = """
the of and to in for on at by with from is are you your we our it be as or not no yes all any more new now up out
off this that have has can will get go see one two first last time day year back way home free open sale save best
good great big hot cold fresh only here there when where what who how why if so but an a i my me us he she his her
they exit entrance enter push pull stop slow danger caution warning keep clear private property staff public toilet
toilets gents ladies men women lift stairs floor level basement lobby gate door fire alarm hose escape emergency
police ambulance hospital clinic pharmacy doctor dental school college university library museum gallery theatre
theater cinema hotel motel inn bar pub cafe coffee tea restaurant grill kitchen bakery bread pizza burger sushi
noodle noodles rice chicken fish beef seafood steak salad soup soups juice milk beer wine ice cream cake cakes
chocolate sugar salt water food foods market mart shop shops shopping store stores mall plaza centre center city
town street road avenue lane drive park garden square station bus taxi train airport terminal platform parking car
cars auto garage motors service services repair tyres gas petrol oil fuel diesel bank atm cash credit card cards
money change exchange insurance finance loan loans rent sold price prices offer offers discount promotion deal deals
special clearance gift gifts bonus reward member members join win winner prize lucky draw buy pay per month week
weekly daily today tomorrow monday tuesday wednesday thursday friday saturday sunday january february march april
may june july august september october november december spring summer autumn winter morning night hour hours am pm
closed closing opening welcome hello thank thanks please enjoy love life live living happy health healthy beauty
hair salon spa nail nails massage fitness gym sports sport club team game games music dance art arts fashion style
shoes bags jewellery jewelry watch watches optical glasses books book news paper magazine print photo photos digital
camera video phone mobile telephone tel fax call email web online internet wifi computer computers laptop
electronics electric power energy light lighting design studio house furniture bed room rooms dining bath office
building tower block unit suite company co ltd inc pte group international national global world american asian
chinese japanese indian thai italian french english german european singapore london paris york tokyo america asia
europe africa australia north south east west central upper lower left right next main high royal king queen prince
golden gold silver black white red blue green yellow orange pink brown grey diamond star sun moon sky sea island
river lake hill mountain bridge beach bay harbour port ship cruise travel tours tour trip ticket tickets reservation
booking information info counter customer wait queue smoking entry littering eating drinking allowed prohibited
authorised personnel beware dog wet mind step gap head hand hands wash clean dry baby child children kids boy girl
family mother father people man woman friend friends adult senior student students teacher training course class
education learning business management marketing sales manager director department government ministry council
authority board court law legal justice church temple community society association foundation trust project system
systems solutions technology industries product products quality original natural organic premium classic super
extra plus max pro lite mini maxi ultra total value pack bottle box size small medium large regular serving served
buffet lunch dinner breakfast brunch menu order takeaway delivery express fast quick easy simple smart safe safety
security guard control area zone site work works construction ahead detour speed limit yield turn merge lanes
bicycle pedestrian crossing machine vending recycle bin waste plastic glass metal cans return press button start
reset
"""

COMMON_WORDS = tuple(_TEXT.split())


def is_word(label: str) -> bool:
    """Whether a label is a word of the vocabulary or a number.

    Synthesis also misspells words, so that a model reads letters; where they are shown they look like mistakes.
    """
    letters = "".join(c for c in label if c.isalpha()).lower()
    return not letters or letters in COMMON_WORDS
