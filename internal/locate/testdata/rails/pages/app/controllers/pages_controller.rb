class PagesController < ActionController::Base
  def home; end
  def show; end
  def slug; end
end
