"""How often signs use a font, judged by the family's name: collections of fonts hold few plain and many odd ones."""

from __future__ import annotations

import os
import re

# Plain sans-serif and book faces, which most signs are set in.
_PLAIN = """
ABeeZee Abel Acme Actor AdventPro Alef AlegreyaSans Allerta Amaranth Anaheim Anton Archivo Arial Arimo Armata Arvo
Asap AverageSans AveriaSansLibre Basic Bebas BenchNine Bitter Cabin Candal Cantarell Carme Carrois Changa
ChauPhilomene Chivo Cinzel- ConcertOne CrimsonText Cuprum DaysOne DejaVuSans DidactGothic DoppioOne Dosis DroidSans
DuruSans Economica Electrolize EncodeSans Exo FiraSans FjallaOne FrancoisOne FredokaOne Fresca Gafata Galdeano Gudea
HammersmithOne Helvet Hind Homenaje Imprima Inder IstokWeb JockeyOne JosefinSans JuliusSansOne Karla Khand Khula
Lato LeagueGothic LiberationSans LibreBaskerville LibreCaslonText Lusitana Magra Mako Marmelad MartelSans MavenPro
Merriweather Metrophobic Michroma Molengo Monda Montserrat MouseMemoirs Muli NewsCycle Nobile NotoSans NotoSerif
NoticiaText Numans Nunito OpenSans Oswald Oxygen PTSans PT_Sans PTSerif Passion PathwayGothic PaytoneOne Play-
PlayfairDisplay- PontanoSans PortLligatSans Puritan Quantico Quattrocento Questrial Quicksand Rambla Raleway
Righteous Roboto Rokkitt RopaSans Rosario RubikOne Ruda Ruluko RussoOne Sansation SansitaOne Sarabun Scada Shanti
Share- Signika Sintony SourceSans SourceSerif Spinnaker SquadaOne Strait Syncopate Tauri Telex TenorSans
TerminalDosis Tinos Titillium Tuffy Ubuntu Varela Viga Volkhov Vollkorn Voltaire WorkSans Yanone
"""

# Faces that people read with effort when they are small.
_HARD = """
Akronim Astloch Asset Bigelow Bilbo Bonbon Butcherman ButterflyKids Codystar Creepster DawningofaNewDay Diplomata
DrSugiyama Eater Ewert FascinateInline FasterOne Flavors Fruktur Geostar Hanalei HerrVonMuellerhoff
JacquesFrancoisShadow JimNightshade Kenia Kranky Kristi LeagueScript Londrina LoversQuarrel Meddon Megrim Miltonian
MissFajardose Monofett Monoton MonsieurLaDoulaise MrBedfort MrDafoe MrDeHaviland MrsSaintDelafield MrsSheppards
Nosifer Plaster PorterSansBlock ReenieBeanie RibeyeMarrow RougeScript RugeBoogie Ruthie Sevillana SnowburstOne
Stalemate Tangerine UncialAntiqua Unifraktur Wallpoet Warnes WireOne Zeyada
"""

# Files of systems that answer to letters with pictures.
_PICTURES = re.compile("emoji|dingbat|webding|wingding|symbol|barcode|icons|marlett", re.IGNORECASE)

_PLAIN_PATTERN = re.compile("|".join(map(re.escape, _PLAIN.split())))
_HARD_PATTERN = re.compile("|".join(map(re.escape, _HARD.split())))


def font_weight(path: str) -> float:
    """How often to draw from a font file, relative to a font of which nothing is known."""
    name = os.path.basename(path).replace(" ", "")
    if _PLAIN_PATTERN.match(name):
        return 3.0
    return 0.2 if _HARD_PATTERN.match(name) else 1.0


def draws_pictures(path: str) -> bool:
    """Whether a font, by its name, draws pictures where letters are asked for."""
    return bool(_PICTURES.search(os.path.basename(path)))
