class PagesController < ActionController::Base
  def about; end
end
